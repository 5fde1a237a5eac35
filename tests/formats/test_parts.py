"""What formats share of items."""

import pytest
from support import CALL, OUTPUT, REASONING

from memwrap.formats.parts import (
    Media,
    as_text,
    as_value,
    media_item_part,
    media_of,
    reasoning_text,
    runs_of_speakers,
)
from memwrap.items import assistant, system, user


def test_runs_of_speakers():
    """What the assistant did in a row is one run, with outputs at their calls; others are alone."""
    items = [system("s"), user("a"), user("b"), REASONING, CALL, OUTPUT, assistant("c"), user("d")]
    runs = [(role, [one.place for one in run]) for role, run in runs_of_speakers(items)]
    assert runs == [
        ("system", [0]),
        ("user", [1]),
        ("user", [2]),
        ("assistant", [3, 4, 6]),
        ("user", [7]),
    ]
    call = list(runs_of_speakers(items))[3][1][1]
    assert (call.item, call.output, call.output_place) == (CALL, OUTPUT, 5)


@pytest.mark.parametrize(
    ("text", "value"),
    [('{"a": 1}', {"a": 1}), ("[1]", [1]), ("5", "5"), ("{bad", "{bad"), ("", ""), (None, None)],
)
def test_values_of_texts(text, value):
    """A JSON object or list is shown as one; anything else as it is."""
    assert as_value(text) == value


@pytest.mark.parametrize("value", [{"a": "é"}, [1, None], "text", 5])
def test_texts_of_values(value):
    """A value becomes the text that gives it again."""
    text = as_text(value)
    assert isinstance(text, str)
    assert as_value(text) in (value, str(value))


MEDIA = [
    (
        {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "auto"},
        Media("data:image/png;base64,AA", "image/png"),
    ),
    (
        {"type": "input_image", "image_url": "https://x/a.webp?w=1", "detail": "auto"},
        Media("https://x/a.webp?w=1", "image/webp"),
    ),
    (
        {"type": "input_image", "image_url": "https://x/a", "detail": "auto"},
        Media("https://x/a", "image/*"),
    ),
    (
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AA"},
        Media("data:application/pdf;base64,AA", "application/pdf", "a.pdf"),
    ),
    (
        {"type": "input_file", "file_url": "https://x/y"},
        Media("https://x/y", "application/octet-stream"),
    ),
]


@pytest.mark.parametrize(("part", "media"), MEDIA)
def test_media_both_ways(part, media):
    """A picture or file has a place, a type and perhaps a name, and is the same part again."""
    assert media_of(part) == media
    assert media_item_part(media) == part


@pytest.mark.parametrize(
    "part", [{"type": "input_image", "file_id": "f"}, {"type": "input_text", "text": "x"}, "x", {}]
)
def test_parts_without_a_place(part):
    """A part that is no picture or file, or only names it, has no place."""
    assert media_of(part) is None


def test_text_of_reasoning():
    """Reasoning shows its summary and its content, and nothing of what is encrypted."""
    summary = [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}]
    content = [{"type": "reasoning_text", "text": "c"}]
    assert reasoning_text({"summary": summary, "content": content}) == "a\n\nb\n\nc"
    assert reasoning_text({"summary": [], "encrypted_content": "x"}) == ""
