// Shows a notice when the login of this page has ended. Listens only while the page is visible: a browser opens few
// connections to one server, and every tab would hold one.
const notice = document.getElementById("ended");
let source = null;

function listen() {
  if (document.hidden || !notice.hidden) {
    source?.close();
    source = null;
  } else if (!source) {
    source = new EventSource(notice.dataset.events);
    source.addEventListener("ended", () => {
      notice.hidden = false;
      listen();
    });
  }
}

document.addEventListener("visibilitychange", listen);
addEventListener("pagehide", () => source?.close());
listen();
