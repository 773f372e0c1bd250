"use strict";
/* Everything works without this file: it keeps live parts fresh, copies and shares text, moves focus and closes sheets. */
(() => {
  const body = document.body, MINUTE = 60000;
  let used = Date.now(), ticked = Date.now();
  document.documentElement.classList.add("script", navigator.share ? "share" : "script");

  // Live parts listen to `tick`: every 2 s in use, every 20 s after ten quiet minutes, never while hidden.
  const tick = () => {
    ticked = Date.now();
    body.dispatchEvent(new CustomEvent("tick"));
  };
  setInterval(() => {
    const idle = Date.now() - used > 10 * MINUTE;
    if (!document.hidden && Date.now() - ticked >= (idle ? 20000 : 2000)) tick();
  }, 500);
  // Such a request does not keep a session alive (portal/access/sessions.py), and says what is on the screen, so
  // that nothing is sent or swapped when that is still so (portal/ui/htmx.py).
  const ticks = (ctx) => ctx.sourceEvent?.type === "tick";
  let tags = {};
  document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
    if (ticks(ctx)) Object.assign(ctx.request.headers, { "Canopy-Tick": "1", "Canopy-Tag": tags[ctx.request.action] ?? "" });
  });
  document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
    if (!ticks(ctx)) tags = {};
    else if (ctx.response.headers.get("Canopy-Tag")) tags[ctx.request.action] = ctx.response.headers.get("Canopy-Tag");
  });
  for (const name of ["pointerdown", "pointermove", "keydown", "scroll", "focusin"])
    addEventListener(name, () => { used = Date.now(); }, { passive: true, capture: true });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { used = Date.now(); tick(); } });

  document.addEventListener("click", async (event) => {
    for (const sheet of document.querySelectorAll("details[data-sheet][open]"))
      if (!sheet.contains(event.target)) sheet.open = false;
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const field = document.getElementById(button.dataset.copy), word = button.querySelector("span");
    if ("share" in button.dataset) return void navigator.share({ url: field.value }).catch(() => {});
    const before = word.textContent;
    field.select ? field.select() : getSelection().selectAllChildren(field);
    try { await navigator.clipboard.writeText(field.value ?? field.textContent); } catch { document.execCommand("copy"); }
    word.textContent = button.dataset.copied;
    setTimeout(() => { word.textContent = before; }, 2000);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const sheet = document.querySelector("details[data-sheet][open]");
    if (sheet) { sheet.open = false; sheet.querySelector("summary").focus(); }
    else document.getElementById("toasts")?.replaceChildren();
  });

  // After a swap the focus goes to what must be read: the error summary, where there is one.
  const focus = () => {
    const found = document.querySelector("[data-focus]:not([data-focused])");
    if (found) { found.dataset.focused = ""; found.focus(); }
  };
  document.addEventListener("htmx:after:swap", focus);
  focus();
})();
