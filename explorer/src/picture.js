/** A file's picture as pixels, small enough to work on. */

const LONGEST = 320;

/** @param {File} file @returns {Promise<import("./prep.js").Picture>} */
export async function readPicture(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    throw new Error(`“${file.name}” is not a picture that this browser can read. Try a PNG or JPEG file.`);
  }
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
  const cols = Math.max(1, Math.round(bitmap.width * scale));
  const rows = Math.max(1, Math.round(bitmap.height * scale));
  const canvas = document.createElement("canvas");
  canvas.width = cols;
  canvas.height = rows;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = "#fff";
  context.fillRect(0, 0, cols, rows);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, cols, rows);
  const { data } = context.getImageData(0, 0, cols, rows);
  const rgb = new Uint8Array(rows * cols * 3);
  for (let k = 0; k < rows * cols; k++) for (let c = 0; c < 3; c++) rgb[3 * k + c] = data[4 * k + c];
  return { rows, cols, channels: 3, data: rgb };
}
