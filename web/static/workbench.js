/* Keeps a list of the workbench up to date; without it the list is as it was when the page came. */
"use strict";
for (const part of document.querySelectorAll("[data-live]")) {
  let tag = "";
  const refresh = async () => {
    // Not under somebody's keyboard focus, and not in a tab that nobody sees.
    if (document.hidden || part.contains(document.activeElement)) return;
    try {
      const answer = await fetch(part.dataset.live, { headers: tag ? { "If-None-Match": tag } : {}, redirect: "error", cache: "no-store" });
      if (answer.status !== 200) return;
      tag = answer.headers.get("ETag") || "";
      part.replaceChildren(...new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes);
    } catch {
      // Offline, or signed out: the next page says so.
    }
  };
  setInterval(refresh, 30000);
  document.addEventListener("visibilitychange", refresh);
}
