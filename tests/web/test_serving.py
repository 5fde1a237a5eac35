"""The page as a program on this machine."""

import re
import socket
import subprocess
import sys

import httpx
import pytest

from memwrap import ConfigurationError, InMemoryStore
from memwrap.web import serve

CODE = """
from memwrap import InMemoryStore
from memwrap.web import serve

serve(InMemoryStore(), port=0)
"""


def test_the_address_is_told_and_works():
    """The address on stderr opens the page; without its token, or by another name, nothing does."""
    command = [sys.executable, "-c", CODE]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            address = re.search(r"http://\S+", server.stderr.readline())[0]
            plain = address.partition("?")[0]
            with httpx.Client(follow_redirects=True, timeout=20) as client:
                assert client.get(plain).status_code == 403
                assert "No conversations yet" in client.get(address).text
                assert client.get(plain).status_code == 200
                other = {"host": "evil.example"}
                assert client.get(plain, headers=other).status_code == 403
        finally:
            server.terminate()


def test_a_port_that_is_taken():
    """A port that is taken is an error with the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(ConfigurationError, match="pass another port"):
            serve(InMemoryStore(), port=taken.getsockname()[1])
