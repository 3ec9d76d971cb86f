// Removes what the page shows of the user when the login has ended. A page that comes back from the browser's memory is
// loaded again: the login may have ended meanwhile.
const notice = document.getElementById("ended");
let source = null;

// Listens only while the page is visible: a browser opens few connections to one server, and every tab would hold one.
function listen() {
  if (document.hidden || !notice.hidden) {
    source?.close();
    source = null;
  } else if (!source) {
    source = new EventSource(notice.dataset.events);
    source.addEventListener("ended", () => {
      removeData();
      notice.hidden = false;
      listen();
    });
  }
}

function removeData() {
  for (const part of document.querySelectorAll("main, aside, header nav")) part.replaceChildren();
}

// A strategy that only lets its tokens expire sends no events.
if (notice) {
  document.addEventListener("visibilitychange", listen);
  listen();
}
addEventListener("pagehide", () => {
  source?.close();
  source = null;
  document.body.hidden = true;
});
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
