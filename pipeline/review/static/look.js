/* Looks at a recording in the browser before anything is typed: nothing is sent. What the browser cannot play may still be
   read by the program, so only a size that is too large is a reason to stop here. */
const LONGEST = 20 * 60;
const file = document.getElementById("look-file");
const result = document.getElementById("look-result");

function minutes(seconds) {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function length(recording) {
  return new Promise((resolve) => {
    const player = document.createElement("video");
    const url = URL.createObjectURL(recording);
    const done = (seconds) => { URL.revokeObjectURL(url); resolve(seconds); };
    player.preload = "metadata";
    player.onloadedmetadata = () => done(player.duration);
    player.onerror = () => done(NaN);
    player.src = url;
  });
}

async function look() {
  const [recording] = file.files;
  if (!recording) { result.textContent = ""; return; }
  const size = recording.size / 1e6;
  const limit = Number(file.dataset.limit);
  result.className = size > limit || !recording.size ? "problem" : "";
  if (!recording.size) result.textContent = "This file is empty. Choose another one.";
  else if (size > limit) result.textContent = `This file has ${Math.round(size)} MB. The limit is ${limit} MB.`;
  else {
    const seconds = await length(recording);
    const megabytes = `${size < 10 ? size.toFixed(1) : Math.round(size)} MB`;
    if (!Number.isFinite(seconds)) result.textContent = `${megabytes}. This browser cannot play it. Step 2 finds out whether it can be read.`;
    else if (seconds > LONGEST) result.textContent = `${minutes(seconds)} minutes, ${megabytes}. You choose up to 20 minutes of it in step 3.`;
    else result.textContent = `${minutes(seconds)} minutes, ${megabytes}.`;
  }
}

file.addEventListener("change", look);
document.getElementById("look").hidden = false;
