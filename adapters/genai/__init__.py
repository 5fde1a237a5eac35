"""Contents of Google's Gemini API, as objects of the `google-genai` package or as dicts.

| message                                  | items                                            |
|------------------------------------------|--------------------------------------------------|
| ``Content`` of a user                    | a user message; text, pictures, sound and files  |
|                                          | become ``input_text``, ``input_image``,          |
|                                          | ``input_audio`` and ``input_file``               |
| ``Content`` of the model: text, pictures | an assistant message                             |
| thoughts                                 | ``reasoning`` under ``provider_data.genai``      |
| ``function_call``                        | ``function_call``; one without an id gets an id  |
| ``function_response``                    | ``function_call_output``: the text of            |
|                                          | ``{"result": text}``, any other object as JSON   |
| files that only Google can read          | text that names them                             |
| signatures, code and what came of it,    | ``provider_data.genai`` of one of the content's  |
| the server's tools, metadata, names of   | items                                            |
| files                                    |                                                  |
| ``SystemContent``                        | a system message                                 |
| ``Part``, ``File``; several in a row     | the content that they make                       |
| ``GenerateContentResponse``              | the content of its first candidate; before it    |
|                                          | what the SDK called itself, and what that gave   |
| the chunks of streams                    | the contents that they add up to                 |
| items, chat message dicts, ``str``       | as in `memwrap.adapters.plain`                   |

On the way back calls in a row are one content, with the thoughts and the text before them, and so
are their outputs. Gemini's own contents come back field by field, for any slice of the items, and
without ids where they had none. An edit of the items wins: after one nothing that is hidden counts.

Contents have no role for instructions: those among the items are a `SystemContent` each, which the
model reads as the user's words. A function that wants them elsewhere takes them out by their class,
and passes their text as ``system_instruction``.

Items of other dialects are projected first (`memwrap.adapters.projection`): reasoning of other
models and hosted tools' items are left out, arguments that are no object are put into one. A
request begins with a user, if need be with the words that the conversation began earlier, and no
text in it is blank. Files by their id, and pictures in outputs of tools by their address, are named
in text.
"""

from memwrap.adapters.extras import need as _need

_need("google.genai", "genai")

from memwrap.adapters.genai.contents import SystemContent  # noqa: E402
from memwrap.adapters.genai.convert import from_items, rebuild, to_items, usages_in  # noqa: E402

__all__ = ["SystemContent", "from_items", "methods", "rebuild", "to_items", "usages_in"]


def methods(agent: object) -> None:
    """Return None: the agents of this dialect are functions."""
