/** Texts that are encrypted with AES-GCM; only pages from a secure address, or from this machine, can do so. */

const NONCE = 12;

/** @param {Uint8Array} bytes */
const encoded = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
/** @param {string} text */
const decoded = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

export class Sealed {
  /** @param {CryptoKey} key */
  constructor(key) {
    this.key = key;
  }

  /** @param {string} key 256 bits in base64 @returns {Promise<Sealed | null>} null where the browser cannot encrypt */
  static async open(key) {
    if (!globalThis.crypto?.subtle) return null;
    return new Sealed(await crypto.subtle.importKey("raw", decoded(key), "AES-GCM", false, ["encrypt", "decrypt"]));
  }

  /** @param {any} value */
  async write(value) {
    const iv = crypto.getRandomValues(new Uint8Array(NONCE));
    const text = new TextEncoder().encode(JSON.stringify(value));
    const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, this.key, text));
    return encoded(new Uint8Array([...iv, ...sealed]));
  }

  /** @param {string} text @returns {Promise<any>} null where it was written with another key, or is no such text */
  async read(text) {
    try {
      const bytes = decoded(text);
      const iv = bytes.slice(0, NONCE);
      const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, this.key, bytes.slice(NONCE));
      return JSON.parse(new TextDecoder().decode(plain));
    } catch {
      return null;
    }
  }
}
