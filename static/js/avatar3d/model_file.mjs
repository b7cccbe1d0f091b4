// @ts-check
/** The file of a head, from this server. */
import { LARGEST_FILE, ModelError } from "./glb.mjs";

/**
 * @param {string} address of the file, on this server @param {AbortSignal} [signal]
 * @returns {Promise<ArrayBuffer>} @throws {ModelError}
 */
export async function fetchModel(address, signal) {
  let response;
  try {
    response = await fetch(address, { signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ModelError("unreachable", "The 3D model could not be loaded from the server.");
  }
  if (!response.ok) throw new ModelError("missing", "The 3D model is not on the server.");
  if (Number(response.headers.get("content-length")) > LARGEST_FILE) {
    throw new ModelError("size", "This 3D model is larger than 64 MB.");
  }
  return response.arrayBuffer();
}
