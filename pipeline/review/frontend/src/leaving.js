/** What a page does when it may no longer be seen: nothing of a tape stays in it. */

/** Take everything off the page, and say why. @param {string} words @param {Node[]} [more] */
export function conceal(words, ...more) {
  const main = document.querySelector("main");
  for (const sound of document.querySelectorAll("audio")) {
    sound.pause();
    sound.removeAttribute("src");
    sound.load();
  }
  const said = document.createElement("p");
  said.className = "lead";
  said.append(words, ...more);
  main?.replaceChildren(said);
  document.title = "Tape Review";
}

/** Take everything off the page, and let the server say what there is instead: the sign-in page, or that it is gone. */
export function leave() {
  conceal("This page is no longer open to you.");
  window.location.reload();
}
