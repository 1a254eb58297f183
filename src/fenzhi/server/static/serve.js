// The local page: sliders and forms ask the server, which answers with what is to be shown. Nothing is computed here.
"use strict";

document.documentElement.classList.add("scripted");

const PAUSE = 120; // milliseconds after the last movement of a slider
const body = document.body;

for (const one of document.querySelectorAll("select[data-submit]")) {
  one.addEventListener("change", () => one.form.submit());
}

/** Show what sliders say beside them; a moved one is marked. */
function sayValues(form) {
  for (const input of form.querySelectorAll("input[type=range]")) {
    const label = input.closest(".lever"), out = label.querySelector("output");
    const places = (input.step.split(".")[1] || "").length, value = Number(input.value);
    const sign = value > 0 && !("plain" in out.dataset) ? "+" : value < 0 ? "\u2212" : "";
    out.textContent = `${sign}${Math.abs(value).toFixed(places)}\u00a0${out.dataset.unit}`.trim();
    label.classList.toggle("moved", input.value !== input.dataset.start);
  }
}

/** Return what a form says: text of every field, sliders only where they were moved. */
function said(form) {
  const found = {};
  for (const one of form.elements) {
    if (!one.name || (one.type === "range" && one.value === one.dataset.start)) continue;
    if (one.value !== "") found[one.name] = one.value;
  }
  return found;
}

const running = {};

/** Ask the server and show its answer; a newer question ends the one before. */
async function ask(form) {
  const what = form.dataset.answer, shown = document.querySelector(`[data-shown="${what}"]`);
  const place = shown.parentElement, state = place.querySelector(".state");
  if (running[what]) running[what].abort();
  const mine = running[what] = new AbortController();
  place.classList.add("waiting");
  state.textContent = body.dataset.busy;
  const question = { hospital: body.dataset.hospital, ...said(form) };
  let answer;
  try {
    const got = await fetch(`/answer/${what}`, {
      method: "POST", body: JSON.stringify(question), signal: mine.signal,
      headers: { "content-type": "application/json" },
    });
    answer = await got.json();
  } catch (error) {
    if (mine.signal.aborted) return;
    answer = { html: "", error: "LOST" };
    shown.textContent = body.dataset.lost;
  }
  if (mine.signal.aborted) return;
  if (answer.html) shown.innerHTML = answer.html;
  state.textContent = answer.state || "";
  state.dataset.brief = answer.brief || "";
  place.classList.remove("waiting");
  place.dataset.answers = Number(place.dataset.answers || 0) + 1;
  last = answer.error ? null : answer;
  if (answer.toml !== undefined && !("file" in form.dataset)) {
    document.querySelector("textarea[name=toml]").value = answer.toml;
  }
}

let last = null;

for (const form of document.querySelectorAll("form[data-answer]")) {
  form.addEventListener("submit", (event) => { event.preventDefault(); ask(form); });
  if (!("atOnce" in form.dataset)) continue;
  let waiting;
  const later = () => { sayValues(form); clearTimeout(waiting); waiting = setTimeout(() => ask(form), PAUSE); };
  form.addEventListener("input", later);
  // What is reset has its values after the event.
  form.addEventListener("reset", () => setTimeout(later));
  sayValues(form);
  ask(form);
}

const keep = document.querySelector("[data-keep]");
if (keep) {
  keep.addEventListener("click", () => {
    if (!last || !last.row) return;
    const part = document.getElementById("kept"), rows = part.querySelector("tbody"), row = rows.insertRow();
    last.row.forEach((text, at) => {
      const cell = row.insertCell();
      cell.textContent = text;
      cell.className = at ? "num" : "text";
      if (at && text.startsWith("\u2212")) cell.classList.add("neg");
    });
    const drop = document.createElement("button");
    drop.type = "button";
    drop.textContent = rows.dataset.drop;
    drop.addEventListener("click", () => { row.remove(); part.hidden = !rows.rows.length; });
    row.insertCell().append(drop);
    part.hidden = false;
  });
}
