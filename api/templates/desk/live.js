// Keeps the calendar up to date and shows the present first. Without it the page is as it was when it was opened.
"use strict";

const changes = document.currentScript.dataset.changes;
const board = () => document.querySelector(".board");

/** Brings the line of the present into view, in the board alone. */
function showNow() {
  const line = document.querySelector(".column .now");
  if (!line || board().scrollHeight <= board().clientHeight) return;
  const below = line.getBoundingClientRect().top - board().getBoundingClientRect().top;
  board().scrollTop += below - board().clientHeight / 3;
}

let looking = false;
let again = false;

/** Fetches the page and puts its calendar in the place of the one shown; scroll and focus stay. */
async function look() {
  if (looking) { again = true; return; }
  looking = true;
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    if (answer.redirected || !answer.ok) throw new Error("the session has ended, or the server is away");
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const [shown, fresh] = [document.getElementById("live"), page.getElementById("live")];
    if (!fresh || shown.innerHTML === fresh.innerHTML) return;
    const { scrollTop, scrollLeft } = board() || {};
    const focused = shown.contains(document.activeElement) && document.activeElement.getAttribute("href");
    shown.replaceWith(fresh);
    if (board()) Object.assign(board(), { scrollTop, scrollLeft });
    if (focused) fresh.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  } catch {
    // The next change or minute tries again.
  } finally {
    looking = false;
    if (again) { again = false; look(); }
  }
}

showNow();
const stream = new EventSource(changes);
stream.addEventListener("message", look);
// The stream ends now and then, and the browser opens it again: what changed in between is fetched.
stream.addEventListener("open", look);
// The line of the present moves.
setInterval(() => { if (!document.hidden) look(); }, 60000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
