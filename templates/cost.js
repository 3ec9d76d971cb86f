// The cost lab: a slider's value in words, and the progress of a run. Without this script the form waits for the run.
"use strict";
const form = document.getElementById("cost");
const measure = document.getElementById("measure");
const progress = document.getElementById("progress");
const statusLine = document.getElementById("status");

for (const slider of form.querySelectorAll("input[type=range]")) {
  const all = slider.dataset.all.split("|");
  const words = document.getElementById(slider.name + "-words");
  const show = () => {
    words.textContent = all[slider.value / slider.step];
    slider.setAttribute("aria-valuetext", words.textContent);
  };
  slider.addEventListener("input", show);
  show();
}

function over(text) {
  measure.disabled = false;
  progress.hidden = true;
  statusLine.textContent = text;
}

// The server renders the figures; they replace the old ones.
async function refresh() {
  // With the fields of the capacity view. If one is wrong, the server answers 400 with the page.
  const answer = await fetch("/labs/cost" + location.search);
  if (!answer.ok && answer.status !== 400) throw new Error("The server answered " + answer.status + ".");
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of ["results", "frontier", "capacity"]) {
    document.getElementById(id).replaceWith(page.getElementById(id));
  }
}

function watch(address) {
  measure.disabled = true;
  progress.hidden = false;
  progress.removeAttribute("value");
  let last = "The connection was lost.";
  const source = new EventSource(address);
  source.addEventListener("step", (event) => {
    const { number, of, words } = JSON.parse(event.data);
    progress.max = of;
    progress.value = number;
    statusLine.textContent = words;
  });
  source.addEventListener("failed", (event) => { last = JSON.parse(event.data).words; });
  source.addEventListener("done", () => { last = ""; });
  source.addEventListener("end", async () => {
    source.close();
    if (last) return over(last);
    try {
      await refresh();
      over("Done. The figures are below.");
      document.getElementById("frontier").scrollIntoView();
    } catch (error) {
      over(error.message);
    }
  });
  source.onerror = () => { if (source.readyState === EventSource.CLOSED) over(last); };
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  document.getElementById("message")?.remove();
  measure.disabled = true;
  statusLine.textContent = "Starting …";
  try {
    const answer = await fetch("/labs/cost/api/runs", { method: "POST", body: new URLSearchParams(new FormData(form)) });
    const body = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(body.detail || "The server answered " + answer.status + ".");
    watch(body.events);
  } catch (error) {
    over(error.message);
  }
});

if (form.dataset.events) watch(form.dataset.events);
