const EVERY = 3000;

/**
 * See to it that a page follows what others do: ask every few seconds for a mark that changes with it; while the page is
 * out of sight, seldom. To ask so keeps nobody signed in. Where the tape is gone, by a withdrawal say, or the viewer is
 * signed out, the page goes too.
 * @param {string} url
 * @param {() => string | number} known the mark of what is shown
 * @param {() => Promise<void>} changed
 * @param {(status: number) => void} gone
 */
export function watch(url, known, changed, gone) {
  let skipped = 0;
  const look = async () => {
    try {
      skipped = document.hidden && skipped < 5 ? skipped + 1 : 0;
      const answer = skipped ? null : await fetch(url, { headers: { Accept: "application/json", "X-Unattended": "1" } });
      if (answer && [401, 403, 404].includes(answer.status)) gone(answer.status);
      if (answer?.ok && (await answer.json()).mark !== known()) await changed();
    } catch {
      // No connection: the next look may have one.
    }
    setTimeout(look, EVERY);
  };
  setTimeout(look, EVERY);
  document.addEventListener("visibilitychange", () => {
    skipped = 5;
  });
}
