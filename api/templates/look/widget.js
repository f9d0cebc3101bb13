// The booking page within another site: <script src="https://book.example.org/widget.js" async></script>
// Optional: data-service, data-staff (ids), data-lang (en or de), data-title, data-into (a selector).
(() => {
  "use strict";
  const script = document.currentScript;
  const base = script.src.replace(/\/widget\.js([?#].*)?$/, "");
  const { service, staff, lang, title, into } = script.dataset;
  const origin = new URL(base).origin;
  const language = /^(en|de)$/.test(lang || "") ? lang : document.documentElement.lang.slice(0, 2);
  const query = new URLSearchParams({ embed: location.origin });
  if (/^(en|de)$/.test(language)) query.set("lang", language);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) query.set("tz", zone);
  const path = service ? `/book/${encodeURIComponent(service)}/${encodeURIComponent(staff || "anyone")}` : "/book";
  const frame = document.createElement("iframe");
  frame.src = `${base}${path}?${query}`;
  frame.title = title || (language === "de" ? "Termin buchen" : "Book an appointment");
  frame.style.cssText = "display:block;width:100%;height:640px;border:0;color-scheme:light dark";
  addEventListener("message", (event) => {
    if (event.origin !== origin || event.source !== frame.contentWindow) return;
    const height = Number(event.data && event.data.punctualHeight);
    if (!(height > 0 && height < 50000)) return;
    frame.style.height = `${Math.ceil(height)}px`;
    // A page that follows another begins at its top.
    if (event.data.first && frame.getBoundingClientRect().top < 0) frame.scrollIntoView();
  });
  const place = into && document.querySelector(into);
  if (place) place.append(frame);
  else script.after(frame);
})();
