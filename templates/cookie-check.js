// Can a script read the login cookie? It is HttpOnly, so this one gets nothing.
document.getElementById("script-sees").textContent =
  document.cookie || "nothing: document.cookie is empty";
