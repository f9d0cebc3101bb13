// Keeps the part of a page that shows how things stand up to date. Without it the page reloads by itself.
"use strict";

const EVERY = 3000;

async function look() {
  const shown = document.getElementById("live");
  if (!shown || document.hidden) return;
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    if (answer.redirected || !answer.ok) throw new Error("the session has ended, or the server is away");
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("live");
    if (!fresh) throw new Error("another page was answered");
    const focused = shown.contains(document.activeElement) && document.activeElement.getAttribute("href");
    shown.replaceWith(fresh);
    if (focused) fresh.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus();
    document.body.classList.remove("stale");
  } catch {
    document.body.classList.add("stale");
  }
}

setInterval(look, EVERY);
