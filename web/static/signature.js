// Lets people draw their signature; without this script the typed name is the signature.
const pad = document.querySelector("[data-signature]");
if (pad && pad.getContext) {
  const pen = pad.getContext("2d");
  const field = document.getElementById("signature");
  pad.closest("[hidden]").hidden = false;
  pen.lineWidth = 3;
  pen.lineCap = pen.lineJoin = "round";
  if (field.value) {
    // The page came back because of another field: what was drawn is still there.
    const kept = new Image();
    kept.onload = () => pen.drawImage(kept, 0, 0);
    kept.src = field.value;
  }
  let drawing = false;
  const place = (event) => {
    const box = pad.getBoundingClientRect();
    return [((event.clientX - box.left) * pad.width) / box.width, ((event.clientY - box.top) * pad.height) / box.height];
  };
  pad.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    pad.setPointerCapture(event.pointerId);
    drawing = true;
    pen.beginPath();
    pen.moveTo(...place(event));
  });
  pad.addEventListener("pointermove", (event) => {
    if (!drawing) return;
    pen.lineTo(...place(event));
    pen.stroke();
  });
  const stop = () => {
    if (!drawing) return;
    drawing = false;
    field.value = pad.toDataURL("image/png");
  };
  pad.addEventListener("pointerup", stop);
  pad.addEventListener("pointercancel", stop);
  document.getElementById("signature-clear").addEventListener("click", () => {
    pen.clearRect(0, 0, pad.width, pad.height);
    field.value = "";
  });
}
