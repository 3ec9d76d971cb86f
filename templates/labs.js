// The revocation lab, login by login. Without this script the form runs the experiment in one request.
"use strict";
const form = document.getElementById("lab");
const main = document.getElementById("main");
const stage = document.getElementById("stage");
const logins = document.getElementById("logins");
const outcomes = document.getElementById("outcomes");
const start = document.getElementById("start");
const revoke = document.getElementById("revoke");
const statusLine = document.getElementById("status");
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
// Accepted, refused, unavailable.
const SIGNS = { a: "✓", r: "✕", u: "!" };
// Milliseconds: between two ticks; to the right of the line, where a login lives on until it expires and where none does.
const PACE = 140, LONG = 9800, SHORT = 2100;
// Ticks to the left of the line.
const BEFORE = 60;
let run = null;

revoke.hidden = false;

function element(tag, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text) made.textContent = text;
  return made;
}

// One side of the line: the ticks of both nodes.
function side(name) {
  const made = element("div", name);
  const nodes = ["same", "other"].map((node) => {
    const line = element("div");
    line.dataset.node = node;
    made.append(line);
    return line;
  });
  return { made, nodes };
}

function show(row) {
  const box = element("div", "login");
  const name = element("div", "name of-" + row.credential);
  name.append(element("b", "", row.slug), element("span", "", row.promise));
  const before = side("before"), after = side("after");
  const staleness = element("div", "staleness");
  const figure = element("b");
  const note = element("span");
  staleness.append(figure, note);
  box.append(name, before.made, after.made, staleness);
  logins.append(box);
  const line = document.createElement("tr");
  const head = element("th", "", row.slug);
  head.scope = "row";
  const cells = [0, 1, 2, 3].map(() => element("td"));
  line.append(head, ...cells);
  outcomes.querySelector("tbody").append(line);
  return { box, before: before.nodes, after: after.nodes, figure, note, cells, row, revoking: false, answered: null };
}

// The seconds after the revoke, above the logins.
function scale() {
  const made = element("div", "scale");
  const after = element("div", "after");
  for (let second = 1; second * 1000 < run.span; second += 1) {
    const mark = element("span", "", second + " s");
    mark.style.left = (second * 1e5) / run.span + "%";
    after.append(mark);
  }
  const key = element("div", "key");
  key.append(element("i", "a"), "accepted ", element("i", "r"), "refused");
  made.append(key, element("b", "before", "revoke"), after, element("b", "staleness", "staleness"));
  logins.append(made);
}

// A cell with the same text is left alone: a screen reader would read it again.
function write(cell, text) {
  if (cell.textContent !== text) cell.textContent = text;
}

function update(shown, row, at) {
  shown.row = row;
  shown.box.className = "login " + row.kind;
  write(shown.figure, row.figure);
  write(shown.note, row.note);
  [row.promise, [row.figure, row.note].filter(Boolean).join(", "), row.same, row.other].forEach((text, i) => write(shown.cells[i], text));
  if (row.kind === "revoking") {
    shown.revoking = true;
    // Where no login was opened, the line stands as well.
    run.shown.filter((other) => other.row.kind === "unavailable" && !other.revoking).forEach((other) => cross(other, at));
  } else if (row.kind === "revoked" || row.kind === "unavailable" && shown.revoking) {
    cross(shown, at);
  }
}

function cross(shown, at) {
  shown.revoking = true;
  shown.answered ??= at;
}

// The line is the revoke, from its start to its answer. It takes effect between the two: whatever is refused then stands
// after the line, and whatever is accepted stands before it.
function place(shown, node, outcome, at) {
  const late = shown.answered === null ? 0 : Math.max(0, at - shown.answered);
  const mark = element("i", outcome, SIGNS[outcome]);
  if (shown.revoking && (outcome === "r" || late > 0)) {
    if (late > run.span - PACE) return;
    mark.style.left = (late * 100) / run.span + "%";
    mark.style.width = "calc(" + (PACE * 100) / run.span + "% - 1px)";
    shown.after[node].append(mark);
    if (outcome === "a" && shown.row.kind === "revoked") write(shown.figure, "≥ " + (late / 1000).toFixed(1) + " s");
  } else {
    const line = shown.before[node];
    line.append(mark);
    if (line.childElementCount > BEFORE) line.firstElementChild.remove();
  }
}

function tick(data) {
  run.ticks += 1;
  const still = run.shown.every((shown, i) => !shown.revoking && run.before[i] === data.outcomes[i]);
  run.before = data.outcomes;
  // With less motion: before the revoke every change, and otherwise one column a second.
  if (calm && still && run.ticks % 8) return;
  run.shown.forEach((shown, i) => [0, 1].forEach((node) => place(shown, node, data.outcomes[i][node], data.at)));
}

function over(text) {
  if (!run) return;
  run.source.close();
  run = null;
  revoke.disabled = true;
  start.disabled = false;
  start.textContent = "New run";
  start.focus({ preventScroll: true });
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
    update(run.shown[number], row, at);
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
    const span = answer.logins.some((row) => row.expires) ? LONG : SHORT;
    run = { ticks: 0, before: [], revoke: answer.revoke, span };
    scale();
    run.shown = answer.logins.map(show);
    logins.hidden = outcomes.hidden = false;
    main.classList.add("running");
    run.source = listen(answer.events);
    revoke.disabled = false;
    revoke.focus({ preventScroll: true });
    stage.scrollIntoView();
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
