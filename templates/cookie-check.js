// Shows that no script can read the login cookie: it is HttpOnly.
document.getElementById("script-sees").textContent =
  document.cookie || "nothing: document.cookie is empty";
