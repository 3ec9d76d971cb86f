// The revocation lab, login by login. Without this script the form runs the experiment in one request.
"use strict";
const form = document.getElementById("lab");
const main = document.getElementById("main");
const logins = document.getElementById("logins");
const outcomes = document.getElementById("outcomes");
const start = document.getElementById("start");
const revoke = document.getElementById("revoke");
const statusLine = document.getElementById("status");
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
// Accepted, refused, unavailable.
const SIGNS = { a: "✓", r: "✕", u: "!" };
let run = null;

revoke.hidden = false;

function element(tag, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text) made.textContent = text;
  return made;
}

function show(row) {
  const box = element("div", "login");
  const name = element("div", "name of-" + row.credential, row.slug);
  const promise = element("div", "promise");
  promise.append(element("b", "", row.promise), element("span", "", "promised end"));
  const ticks = element("div", "ticks");
  const nodes = ["same", "other"].map((node) => {
    const line = element("div");
    line.dataset.node = node;
    ticks.append(line);
    return line;
  });
  const staleness = element("div", "staleness");
  const figure = element("b");
  const note = element("span");
  staleness.append(figure, note);
  box.append(name, ticks, staleness, promise);
  logins.append(box);
  const line = document.createElement("tr");
  const head = element("th", "", row.slug);
  head.scope = "row";
  const cells = [0, 1, 2, 3].map(() => element("td"));
  line.append(head, ...cells);
  outcomes.querySelector("tbody").append(line);
  return { box, nodes, figure, note, line, cells, row, mark: null };
}

// A cell with the same text is left alone: a screen reader would read it again.
function write(cell, text) {
  if (cell.textContent !== text) cell.textContent = text;
}

function update(shown, row) {
  shown.row = row;
  shown.box.className = "login " + row.kind;
  write(shown.figure, row.figure);
  write(shown.note, row.note);
  [row.promise, [row.figure, row.note].filter(Boolean).join(", "), row.same, row.other].forEach((text, i) => write(shown.cells[i], text));
}

function room() {
  const width = run.shown[0].nodes[0].clientWidth - 58;
  const tick = run.shown[0].nodes[0].querySelector("i");
  return tick ? Math.max(10, Math.floor(width / (tick.getBoundingClientRect().width + 1))) : 40;
}

function tick(data) {
  run.ticks += 1;
  const still = run.shown.every((shown, i) => run.before[i] === data.outcomes[i]);
  run.before = data.outcomes;
  // With less motion: every change, and otherwise one column a second.
  if (calm && still && run.ticks % 8 && !run.shown.some((shown) => shown.mark !== null)) return;
  const most = room();
  run.shown.forEach((shown, i) => {
    // The first probe after the answer to the revoke.
    const marked = shown.mark !== null && data.at >= shown.mark;
    shown.nodes.forEach((line, node) => {
      const outcome = data.outcomes[i][node];
      line.append(element("i", marked ? outcome + " mark" : outcome, SIGNS[outcome]));
      while (line.childElementCount > most) line.firstElementChild.remove();
    });
    if (marked) shown.mark = null;
    if (shown.row.kind === "revoked" && shown.row.ends_at_ms !== null) {
      write(shown.figure, Math.max(0, (shown.row.ends_at_ms - data.at) / 1000).toFixed(1) + " s");
    }
  });
}

function over(text) {
  if (!run) return;
  run.source.close();
  run = null;
  revoke.disabled = true;
  start.disabled = false;
  start.textContent = "New run";
  start.focus();
  statusLine.textContent = text;
}

async function post(address, body) {
  const answer = await fetch(address, { method: "POST", body });
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const problem = await answer.json().catch(() => ({}));
  throw new Error(problem.detail || "The server answered " + answer.status + ".");
}

function listen(address) {
  const source = new EventSource(address);
  source.addEventListener("tick", (event) => tick(JSON.parse(event.data)));
  source.addEventListener("login", (event) => {
    const { number, at, row } = JSON.parse(event.data);
    update(run.shown[number], row);
    if (row.kind === "revoked") run.shown[number].mark = at;
  });
  source.addEventListener("end", () => over("The run is over, and its logins are revoked."));
  source.onerror = () => { if (source.readyState === EventSource.CLOSED) over("The connection was lost."); };
  return source;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (start.textContent === "New run") {
    start.textContent = "Log in everywhere";
    main.classList.remove("running");
    logins.hidden = outcomes.hidden = true;
    statusLine.textContent = "";
    return;
  }
  start.disabled = true;
  statusLine.textContent = "Opening the logins …";
  try {
    const answer = await post("/labs/revocation/api/runs", new URLSearchParams(new FormData(form)));
    logins.replaceChildren();
    outcomes.querySelector("tbody").replaceChildren();
    run = { ticks: 0, before: [], revoke: answer.revoke };
    run.shown = answer.logins.map(show);
    logins.hidden = outcomes.hidden = false;
    main.classList.add("running");
    run.source = listen(answer.events);
    revoke.disabled = false;
    revoke.focus();
    statusLine.textContent = "Both nodes check every login seven times a second.";
  } catch (error) {
    start.disabled = false;
    statusLine.textContent = error.message;
  }
});

revoke.addEventListener("click", async () => {
  revoke.disabled = true;
  statusLine.textContent = "Revoked. Which nodes still accept?";
  try {
    await post(run.revoke);
  } catch (error) {
    statusLine.textContent = error.message;
  }
});
