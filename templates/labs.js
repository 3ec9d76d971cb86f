// The revocation lab, lane by lane. Without this script the form does the same in one go.
"use strict";
const form = document.getElementById("lab");
const main = document.getElementById("main");
const lanes = document.getElementById("lanes");
const words = document.getElementById("words");
const start = document.getElementById("start");
const revoke = document.getElementById("revoke");
const told = document.getElementById("status");
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
const SIGNS = { y: ["y", "✓"], n: ["n", "✕"], "?": ["u", "!"] };
let run = null;

revoke.hidden = false;

function element(tag, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text) made.textContent = text;
  return made;
}

function lane(row) {
  const box = element("div", "lane");
  const name = element("div", "name of-" + row.credential, row.slug);
  const promise = element("div", "promise");
  promise.append(element("b", "", row.promise), element("span", "", "is the promise"));
  const ticks = element("div", "ticks");
  const nodes = ["same", "other"].map((node) => {
    const line = element("div");
    line.dataset.node = node;
    ticks.append(line);
    return line;
  });
  const said = element("div", "said");
  const figure = element("b");
  const note = element("span");
  said.append(figure, note);
  box.append(name, ticks, said, promise);
  lanes.append(box);
  const line = document.createElement("tr");
  const head = element("th", "", row.slug);
  head.scope = "row";
  const cells = [0, 1, 2, 3].map(() => element("td"));
  line.append(head, ...cells);
  words.querySelector("tbody").append(line);
  return { box, nodes, figure, note, line, cells, row, mark: null };
}

// A cell that says the same as before is left alone: it would be read out again.
function say(cell, text) {
  if (cell.textContent !== text) cell.textContent = text;
}

function turn(shown, row) {
  shown.row = row;
  shown.box.className = "lane " + row.kind;
  say(shown.figure, row.figure);
  say(shown.note, row.note);
  [row.promise, [row.figure, row.note].filter(Boolean).join(", "), row.same, row.other].forEach((text, i) => say(shown.cells[i], text));
}

function room() {
  const width = run.shown[0].nodes[0].clientWidth - 58;
  const tick = run.shown[0].nodes[0].querySelector("i");
  return tick ? Math.max(10, Math.floor(width / (tick.getBoundingClientRect().width + 1))) : 40;
}

function tick(data) {
  run.ticks += 1;
  const still = run.shown.every((shown, i) => run.before[i] === data.answers[i]);
  run.before = data.answers;
  // With less motion: what changes at once, and one column a second.
  if (calm && still && run.ticks % 8 && !run.shown.some((shown) => shown.mark !== null)) return;
  const most = room();
  run.shown.forEach((shown, i) => {
    // The first question that was asked after the revoke was answered.
    const marked = shown.mark !== null && data.at >= shown.mark;
    shown.nodes.forEach((line, node) => {
      const [kind, sign] = SIGNS[data.answers[i][node]];
      line.append(element("i", marked ? kind + " mark" : kind, sign));
      while (line.childElementCount > most) line.firstElementChild.remove();
    });
    if (marked) shown.mark = null;
    if (shown.row.kind === "revoked" && shown.row.ends_at_ms !== null) {
      say(shown.figure, Math.max(0, (shown.row.ends_at_ms - data.at) / 1000).toFixed(1) + " s");
    }
  });
}

function over(text) {
  if (!run) return;
  run.source.close();
  run = null;
  revoke.disabled = true;
  start.disabled = false;
  start.textContent = "Again";
  start.focus();
  told.textContent = text;
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
  source.addEventListener("lane", (event) => {
    const { lane, at, row } = JSON.parse(event.data);
    turn(run.shown[lane], row);
    if (row.kind === "revoked") run.shown[lane].mark = at;
  });
  source.addEventListener("end", () => over("The run is over, and every login of it is ended."));
  source.onerror = () => { if (source.readyState === EventSource.CLOSED) over("The connection was lost."); };
  return source;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (start.textContent === "Again") {
    start.textContent = "Log in everywhere";
    main.classList.remove("running");
    lanes.hidden = words.hidden = true;
    told.textContent = "";
    return;
  }
  start.disabled = true;
  told.textContent = "Opening the logins …";
  try {
    const answer = await post("/labs/revocation/api/runs", new URLSearchParams(new FormData(form)));
    lanes.replaceChildren();
    words.querySelector("tbody").replaceChildren();
    run = { ticks: 0, before: [], revoke: answer.revoke };
    run.shown = answer.lanes.map(lane);
    lanes.hidden = words.hidden = false;
    main.classList.add("running");
    run.source = listen(answer.events);
    revoke.disabled = false;
    revoke.focus();
    told.textContent = "Every login is asked for on both nodes, seven times a second.";
  } catch (error) {
    start.disabled = false;
    told.textContent = error.message;
  }
});

revoke.addEventListener("click", async () => {
  revoke.disabled = true;
  told.textContent = "Revoked. Which lanes turn?";
  try {
    await post(run.revoke);
  } catch (error) {
    told.textContent = error.message;
  }
});
