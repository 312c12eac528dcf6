// Parts of a page that take longer: a link without script, fetched and put in its
// place when the page is there.
import { fetched } from './page.js'

/** Asks for what the page left out. */
export async function connectParts() {
  for (const link of document.querySelectorAll('a[data-part]')) {
    const place = link.parentElement?.closest('section')
    const fresh = await fetched(/** @type {HTMLAnchorElement} */ (link).href).catch(() => null)
    const part = place && fresh?.querySelector(`#${place.id}`)
    if (part) place.replaceWith(document.adoptNode(part))
  }
}
