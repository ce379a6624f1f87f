/**
 * Two tabs of one coder on one pass: each says that something is stored, and the other shows it. What is stored comes from
 * the server, so nothing of a tape passes between them.
 */
export class Tabs {
  /** @param {{person: string, pass: string}} whose @param {() => void} changed */
  constructor({ person, pass }, changed) {
    this.channel = "BroadcastChannel" in globalThis ? new BroadcastChannel(`tape-review/${person}/${pass}`) : null;
    this.channel?.addEventListener("message", changed);
  }

  tell() {
    this.channel?.postMessage("stored");
  }
}
