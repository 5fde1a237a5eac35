"use strict";

const at = (id) => document.getElementById(id);
let chat = location.hash.slice(1) || crypto.randomUUID();
let running = null;

function show(role, text, turn) {
  const line = document.createElement("li");
  line.className = role;
  line.dir = "auto";
  line.textContent = text;
  if (role === "user") {
    line.tabIndex = 0;
    line.title = "Press Enter to edit";
    line.addEventListener("keydown", (event) => event.key === "Enter" && edit(line, turn));
    line.addEventListener("dblclick", () => edit(line, turn));
  }
  at("said").append(line);
  return line;
}

function edit(line, turn) {
  const text = prompt("Say instead:", line.textContent);
  if (!text) return;
  const from = chat;
  chat = crypto.randomUUID();
  while (line.nextSibling) line.nextSibling.remove();
  line.remove();
  answer(`/chats/${encodeURIComponent(from)}/edits`, { turn, chat, text }, turn);
}

async function answer(path, message, turn) {
  location.hash = chat;
  show("user", message.text, turn);
  const line = show("assistant", "", turn);
  const body = JSON.stringify({ id: crypto.randomUUID(), ...message });
  running = new AbortController();
  at("stop").disabled = false;
  at("note").textContent = "";
  try {
    for (let attempt = 0; ; attempt += 1) {
      try {
        await read(path, body, line);
        break;
      } catch (error) {
        // The same id again: an answer that was stored comes back, and nothing is asked twice.
        if (error.name !== "TypeError" || attempt === 2) throw error;
        line.textContent = "";
      }
    }
  } catch (error) {
    at("note").textContent = error.name === "AbortError" ? "stopped" : error.message;
  }
  running = null;
  at("stop").disabled = true;
  list();
}

async function read(path, body, line) {
  const headers = { "content-type": "application/json" };
  const response = await fetch(path, { method: "POST", headers, body, signal: running.signal });
  if (!response.ok) throw new Error((await response.json()).detail);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const data = JSON.parse(event.slice("data: ".length));
      if (data.error) throw new Error(data.error);
      line.textContent += data.text ?? "";
    }
  }
}

async function list() {
  const found = await (await fetch("/chats")).json();
  at("chats").replaceChildren(
    ...found.map(({ id, title }) => {
      const link = document.createElement("a");
      link.href = `#${id}`;
      link.textContent = title ?? id.slice(0, 8);
      return link;
    }),
  );
}

async function open() {
  chat = location.hash.slice(1) || chat;
  at("said").replaceChildren();
  const found = await (await fetch(`/chats/${encodeURIComponent(chat)}`)).json();
  let turn = 0;
  for (const message of found.messages) {
    if (message.role === "user") turn += 1;
    show(message.role, message.parts.map((part) => part.text ?? "").join(""), turn);
  }
}

at("form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (running) return;
  const turn = at("said").querySelectorAll(".user").length + 1;
  answer(`/chats/${encodeURIComponent(chat)}/messages`, { text: at("text").value }, turn);
  at("text").value = "";
});
at("stop").addEventListener("click", () => running?.abort());
addEventListener("hashchange", () => running || open());
list();
open();
