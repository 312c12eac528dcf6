// A route can be copied: as the text of its row, as the object of the interface
// for programs, and as routers write it. But for the first the server writes it.
import { bind, current } from './keys.js'
import { copy, make, store, stored, t } from './page.js'

/** @type {Record<string, string>} */
const forms = { text: t('script.as_text'), json: 'JSON', cisco: 'Cisco', junos: 'Junos', bird: 'BIRD' }
const tools = /** @type {HTMLDetailsElement} */ (make('details', { class: 'copies' }, make('summary', { 'aria-label': t('script.copy_route') }, t('script.copy')),
  make('div', {}, ...Object.entries(forms).map(([form, name]) => make('button', { type: 'button', class: 'quiet', value: form }, name)))))

/** Connects the keys, and the button that comes to the row that is looked at. */
export function connectRows() {
  bind('c', t('script.key_copy_row'), () => { const row = current(); if (row) copyAs(row, 'text') })
  bind('d', t('script.key_copy_json'), () => copyRoute('json'))
  bind('r', t('script.key_copy_router'), () => copyRoute(stored('look', 'cisco')))
  for (const event of ['pointerover', 'focusin']) document.addEventListener(event, come)
  tools.addEventListener('click', (event) => {
    const form = /** @type {Element} */ (event.target).closest('button')?.value
    const row = tools.closest('tr')
    if (!form || !row) return
    if (form in forms && form !== 'text' && form !== 'json') store('look', JSON.stringify(form))
    copyAs(row, form)
    close()
  })
  tools.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !tools.open) return
    event.stopPropagation()
    close()
  })
}

function close() {
  const inside = tools.contains(document.activeElement)
  tools.open = false
  if (inside) tools.querySelector('summary')?.focus()
}

/**
 * Comes to the row that the pointer or the focus is on, and goes with them.
 * @param {Event} event
 */
function come(event) {
  const row = /** @type {Element} */ (event.target).closest?.('tr[data-q]')
  const holds = tools.open || tools.contains(document.activeElement)
  if (event.type === 'pointerover' && holds || row && row === tools.closest('tr')) return
  tools.open = false
  if (row) (row.querySelector('.path') ?? row.lastElementChild)?.append(tools)
  else tools.remove()
}

/** @param {string} form */
function copyRoute(form) {
  const row = current()
  if (row?.closest('.routes')) copyAs(row, form)
}

/**
 * @param {HTMLElement} row
 * @param {string} form
 */
function copyAs(row, form) {
  if (form === 'text') copy(textOf(row), t('script.row_copied'))
  else copy(written(row, form), t('script.copied', forms[form]))
}

/**
 * A row as a line of text, its prefix before it.
 * @param {HTMLElement} row
 */
function textOf(row) {
  tools.hidden = true
  const prefix = /** @type {HTMLElement | null | undefined} */ (row.parentElement?.querySelector('tr.prefix'))
  const cells = [.../** @type {Iterable<HTMLElement>} */ (row.querySelectorAll('th, td'))].map((cell) => cell.innerText.replace(/\s+/g, ' ').trim())
  if (prefix && prefix !== row) cells.unshift(prefix.innerText.trim())
  tools.hidden = false
  return cells.filter(Boolean).join('  ')
}

/**
 * A route as the server writes it.
 * @param {HTMLElement} row
 * @param {string} form
 */
async function written(row, form) {
  const values = new URLSearchParams(row.closest('table')?.dataset.keep)
  values.set('q', row.dataset.q ?? row.innerText.trim()) // all routes of a prefix in its row
  if (form !== 'json') values.set('style', form)
  const answer = form === 'json'
    ? await fetch(`/api/v1/routes?${values}`, { headers: { Accept: 'application/x-ndjson' } })
    : await fetch(`/search.txt?${values}`)
  const text = answer.ok ? await answer.text() : ''
  if (!text) throw new Error(t('script.route_gone'))
  return text.trimEnd()
}
