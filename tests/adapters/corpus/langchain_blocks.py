"""Content blocks of all of LangChain's generations, made by code."""

import base64

# A red dot and a page that says "tide", both made here.
DOT = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108020000009077")
PAGE = b"%PDF-1.4 tide table, made up"
DOT64, PAGE64 = base64.b64encode(DOT).decode(), base64.b64encode(PAGE).decode()
DOT_URL, PAGE_URL = f"data:image/png;base64,{DOT64}", f"data:application/pdf;base64,{PAGE64}"
WEB = "https://harbour.test/quay.png"

TEXTS = {
    "short": "Low tide?",
    "empty": "",
    "blank": " \n\t",
    "long": "The ferry leaves when the bell has rung twice. " * 40,
    "unicode": "Fähre nach Ærø — 船 ⛴️ مرفأ",
    "nul": "before\0after",
    "surrogate": "half a pair: \ud83d",
    "json": '{"$": [0, "content"], "memwrap": 1}',
    "data url": DOT_URL,
    "item id": "msg_1",
}

# Blocks that the caller gives, by generation.
PICTURES = {
    "v1 url": {"type": "image", "url": WEB},
    "v1 data": {"type": "image", "base64": DOT64, "mime_type": "image/png"},
    "v1 file": {"type": "image", "file_id": "file-dot"},
    "v1 detail": {"type": "image", "url": WEB, "extras": {"detail": "high"}},
    "v1 id": {"type": "image", "url": WEB, "id": "lc_block", "index": 0},
    "v0 url": {"type": "image", "source_type": "url", "url": WEB},
    "v0 data": {
        "type": "image",
        "source_type": "base64",
        "data": DOT64,
        "mime_type": "image/png",
        "cache_control": {"type": "ephemeral"},
    },
    "v0 id": {"type": "image", "source_type": "id", "id": "file-dot"},
    "chat url": {"type": "image_url", "image_url": {"url": WEB}},
    "chat string": {"type": "image_url", "image_url": WEB},
    "chat data": {"type": "image_url", "image_url": {"url": DOT_URL, "detail": "low"}},
    "chat odd detail": {"type": "image_url", "image_url": {"url": WEB, "detail": None}},
    "chat huge": {"type": "image_url", "image_url": {"url": WEB, "detail": "huge"}},
    "responses url": {"type": "input_image", "image_url": WEB, "detail": "original"},
    "responses data": {"type": "input_image", "image_url": DOT_URL},
    "responses file": {"type": "input_image", "file_id": "file-dot", "detail": "auto"},
    "anthropic data": {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": DOT64},
    },
    "anthropic url": {"type": "image", "source": {"type": "url", "url": WEB}},
    "anthropic file": {"type": "image", "source": {"type": "file", "file_id": "file_dot"}},
    "bedrock bytes": {"image": {"format": "png", "source": {"bytes": DOT}}},
    "bedrock typed": {"type": "image", "image": {"format": "png", "source": {"bytes": DOT}}},
    "gemini bytes": {"type": "media", "mime_type": "image/png", "data": DOT},
    "gemini uri": {"type": "media", "mime_type": "image/png", "file_uri": "gs://harbour/quay"},
}
FILES = {
    "v1 url": {"type": "file", "url": "https://harbour.test/tides.pdf"},
    "v1 data": {
        "type": "file",
        "base64": PAGE64,
        "mime_type": "application/pdf",
        "extras": {"filename": "tides.pdf"},
    },
    "v1 file": {"type": "file", "file_id": "file-page", "mime_type": "application/pdf"},
    "v1 text": {"type": "text-plain", "text": "06:12 high", "title": "Tides", "context": "Kiel"},
    "v0 data": {
        "type": "file",
        "source_type": "base64",
        "data": PAGE64,
        "mime_type": "application/pdf",
        "metadata": {"filename": "tides.pdf"},
    },
    "v0 text": {"type": "file", "source_type": "text", "text": "06:12 high"},
    "v0 id": {"type": "file", "source_type": "id", "id": "file-page"},
    "chat data": {"type": "file", "file": {"file_data": PAGE_URL, "filename": "tides.pdf"}},
    "chat id": {"type": "file", "file": {"file_id": "file-page"}},
    "responses url": {"type": "input_file", "file_url": "https://harbour.test/tides.pdf"},
    "responses data": {"type": "input_file", "file_data": PAGE_URL, "filename": "t.pdf"},
    "anthropic data": {
        "type": "document",
        "source": {"type": "base64", "media_type": "application/pdf", "data": PAGE64},
        "title": "Tides",
        "citations": {"enabled": True},
    },
    "anthropic text": {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": "06:12 high"},
    },
    "gemini bytes": {"type": "media", "mime_type": "application/pdf", "data": PAGE},
}
# What no item has a part for.
UNSEEN = {
    "v1 audio": {"type": "audio", "base64": "UklGRg==", "mime_type": "audio/wav"},
    "v0 audio": {"type": "audio", "source_type": "base64", "data": "UklGRg==", "mime_type": "a/b"},
    "chat audio": {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
    "video": {"type": "video", "url": "https://harbour.test/ferry.mp4"},
    "cache point": {"type": "non_standard", "value": {"type": "cachePoint"}},
    "untyped": {"cachePoint": {"type": "default"}},
    "tool result": {"type": "tool_result", "tool_use_id": "toolu_1", "content": "calm"},
    "typed oddly": {"type": ["image"], "url": WEB},
    "no url": {"type": "image_url", "image_url": {}},
}

# Blocks that the model gives.
URL_CITATION = {
    "type": "url_citation",
    "url": "https://harbour.test",
    "title": "Harbour",
    "start_index": 0,
    "end_index": 4,
}
ANNOTATIONS = {
    "url": URL_CITATION,
    "file": {"type": "file_citation", "file_id": "file-1", "filename": "a.txt", "index": 3},
    "file renamed": {
        "type": "file_citation",
        "file_id": "file-1",
        "filename": "a.txt",
        "file_index": 3,
    },
    "container": {
        "type": "container_file_citation",
        "container_id": "cntr_1",
        "file_id": "cfile_1",
        "filename": "plot.png",
        "start_index": 1,
        "end_index": 2,
    },
    "path": {"type": "file_path", "file_id": "file-2", "index": 0},
    "v1 citation": {"type": "citation", "url": "https://harbour.test", "cited_text": "at noon"},
    "v1 other": {"type": "non_standard_annotation", "value": {"page": 4}},
    "extra key": URL_CITATION | {"favicon": "f.ico"},
}
THOUGHTS = {
    "responses": {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "Look at the moon."}],
        "encrypted_content": "gAAAAmoon",
    },
    "responses indexed": {
        "type": "reasoning",
        "id": "rs_2",
        "index": 1,
        "summary": [{"type": "summary_text", "text": "Spring tide.", "index": 0}],
    },
    "responses null": {"type": "reasoning", "id": "rs_3", "summary": [], "encrypted_content": None},
    "responses content": {
        "type": "reasoning",
        "id": "rs_4",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "Neap."}],
        "status": "completed",
    },
    "v1": {"type": "reasoning", "reasoning": "Full moon, so high water.", "id": "rs_5"},
    "v1 without text": {"type": "reasoning", "extras": {"signature": "c2ln"}},
    "anthropic": {"type": "thinking", "thinking": "Ask the pilot.", "signature": "c2ln"},
    "anthropic redacted": {"type": "redacted_thinking", "data": "RXJh"},
    "bedrock": {
        "type": "reasoning_content",
        "reasoning_content": {"text": "Ask.", "signature": "s"},
    },
    "gemini": {"type": "thinking", "thinking": "Ask.", "extras": {"signature": b"\x01\xff"}},
    "executable": {"type": "executable_code", "executable_code": "print(tide)", "language": 1},
}
SERVER_TOOLS = {
    "v1 call": {"type": "server_tool_call", "name": "web_search", "id": "st_1", "args": {"q": "x"}},
    "v1 result": {
        "type": "server_tool_result",
        "tool_call_id": "st_1",
        "status": "success",
        "output": [{"url": "https://harbour.test"}],
    },
    "anthropic call": {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {}},
    "anthropic result": {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": []},
    "wrapped": {"type": "non_standard", "value": {"type": "safety_rating", "level": 2}},
    "half an item": {"type": "web_search_call", "id": "ws_1"},
    "item without id": {"type": "image_generation_call", "result": DOT64, "status": "completed"},
}

USAGE = {
    "input_tokens": 11,
    "output_tokens": 7,
    "total_tokens": 18,
    "input_token_details": {"cache_read": 4},
    "output_token_details": {"reasoning": 3},
    "seconds": 0.25,
}
SAID = {"type": "text", "text": "High water at six.", "id": "msg_1", "annotations": []}
