// Loads a module of the pages that imports no other. Its file says nowhere that it
// is a module, which old versions of Node want to be told.
import { readFile } from 'node:fs/promises'

/**
 * @param {string} name
 * @returns {Promise<any>}
 */
export async function load(name) {
  const text = await readFile(new URL(`../../assets/${name}`, import.meta.url), 'base64')
  return import(`data:text/javascript;base64,${text}`)
}
