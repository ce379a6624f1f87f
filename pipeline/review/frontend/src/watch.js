const EVERY = 3000;

/**
 * See to it that a page follows what others do: ask every few seconds, while the page is in sight, for a mark that
 * changes with it. To ask so keeps nobody signed in. Where the tape is gone, by a withdrawal say, the page goes too.
 * @param {string} url
 * @param {() => string | number} known the mark of what is shown
 * @param {() => Promise<void>} changed
 */
export function watch(url, known, changed) {
  const look = async () => {
    try {
      const answer = document.hidden ? null : await fetch(url, { headers: { Accept: "application/json", "X-Unattended": "1" } });
      if (answer?.status === 404) window.location.reload();
      if (answer?.ok && (await answer.json()).mark !== known()) await changed();
    } catch {
      // No connection: the next look may have one.
    }
    setTimeout(look, EVERY);
  };
  setTimeout(look, EVERY);
}
