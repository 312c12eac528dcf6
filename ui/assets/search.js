// The search box: completion, how the query is understood, recent queries and
// one's own address. It follows the combobox pattern of ARIA 1.2.
import { ask, known, make, store, stored, t } from './page.js'

/** @typedef {{ label: string, means: string, choose: () => void }} Item what is offered */

const input = /** @type {HTMLInputElement} */ (document.getElementById('q'))
const form = /** @type {HTMLFormElement} */ (document.getElementById('search'))
const list = make('ul', { id: 'complete', role: 'listbox', 'aria-label': t('script.completions'), hidden: '' })
const understood = make('p', { id: 'understood', role: 'status' })
const recentMost = 12

/** @type {Item[]} */
let items = []
let chosen = -1
let asking = new AbortController()
let waiting = 0

/** Connects the box. */
export function connectSearch() {
  input.type = 'text' // a search field may not be a combobox
  for (const [name, value] of Object.entries({
    role: 'combobox', 'aria-expanded': 'false', 'aria-controls': 'complete', 'aria-autocomplete': 'list', 'aria-describedby': 'understood',
  })) input.setAttribute(name, value)
  form.append(list)
  form.after(understood)
  input.addEventListener('input', () => later(120))
  input.addEventListener('focus', () => { if (!input.value) offerStart() })
  input.addEventListener('blur', close)
  input.addEventListener('keydown', onKey)
  list.addEventListener('pointerdown', (event) => {
    event.preventDefault() // the focus stays in the box
    const item = /** @type {Element} */ (event.target).closest('li')
    if (item) take([...list.children].indexOf(item))
  })
  form.addEventListener('submit', () => remember(input.value.trim()))
}

/** @param {number} milliseconds */
function later(milliseconds) {
  clearTimeout(waiting)
  waiting = setTimeout(complete, milliseconds)
}

async function complete() {
  asking.abort()
  asking = new AbortController()
  const text = input.value
  if (!text.trim()) {
    understand()
    offerStart()
    return
  }
  const at = [...text.slice(0, input.selectionStart ?? text.length)].length
  let answer
  try {
    answer = await ask('/api/v1/complete', { q: text, at: String(at) }, asking.signal)
  } catch {
    return // asked again meanwhile, or the server is gone
  }
  if (!answer || input.value !== text || document.activeElement !== input) return
  understand(answer)
  offer(answer.items.map((/** @type {{ text: string, means?: string, kind: string }} */ one) => ({
    label: one.text, means: meaning(one), choose: () => insert(one.text, answer.from, answer.to),
  })))
}

/**
 * What an item means: a word of the query language, in that of the page.
 * @param {{ text: string, means?: string, kind: string }} item
 */
function meaning({ text, means, kind }) {
  return (kind === 'word' && known(`word.${text}`)) || means || known(`item.${kind}`) || kind
}

/**
 * Tells how the query is read, or where it cannot be.
 * @param {{ query?: { notes?: unknown, canonical: string }, problem?: { detail: string } }} [answer]
 */
function understand(answer = {}) {
  const { query, problem } = answer
  understood.classList.toggle('wrong', Boolean(problem))
  if (problem) understood.textContent = problem.detail
  else if (query && (query.notes || query.canonical !== input.value.trim())) understood.textContent = t('script.understood', query.canonical)
  else understood.replaceChildren()
}

/** @returns {string[]} what was asked before */
const recent = () => stored('recent', []).filter((/** @type {unknown} */ q) => typeof q === 'string')

/** What an empty box offers: one's own address and what was asked before. */
function offerStart() {
  offer([
    ...recent().map((q) => ({ label: q, means: t('script.recent'), choose: () => put(q, true) })),
    { label: t('script.my_address'), means: t('script.my_address_means'), choose: own },
  ])
}

async function own() {
  const answer = await ask('/api/v1/whoami', {}).catch(() => undefined)
  if (answer) put(answer.address, false)
}

/**
 * @param {string} text
 * @param {number} from
 * @param {number} to
 */
function insert(text, from, to) {
  const chars = [...input.value]
  const head = `${chars.slice(0, from).join('')}${text} `
  input.value = head + chars.slice(to).join('').trimStart()
  input.setSelectionRange(head.length, head.length)
  later(0)
}

/**
 * @param {string} text
 * @param {boolean} go
 */
function put(text, go) {
  input.value = text
  close()
  if (go) form.requestSubmit()
  else later(0)
}

/** @param {Item[]} list_ */
function offer(list_) {
  items = list_
  chosen = -1
  list.replaceChildren(...items.map((one, i) => make('li', { role: 'option', id: `complete-${i}`, 'aria-selected': 'false' },
    make('b', {}, one.label), make('span', {}, one.means))))
  const open = items.length > 0 && document.activeElement === input
  list.hidden = !open
  input.setAttribute('aria-expanded', String(open))
  input.removeAttribute('aria-activedescendant')
}

function close() {
  clearTimeout(waiting)
  asking.abort()
  list.hidden = true
  chosen = -1
  input.setAttribute('aria-expanded', 'false')
  input.removeAttribute('aria-activedescendant')
}

/** @param {number} i */
function mark(i) {
  list.children[chosen]?.setAttribute('aria-selected', 'false')
  chosen = (i + items.length) % items.length
  const item = list.children[chosen]
  item.setAttribute('aria-selected', 'true')
  item.scrollIntoView({ block: 'nearest' })
  input.setAttribute('aria-activedescendant', item.id)
}

/** @param {number} i */
function take(i) {
  const item = items[i]
  close()
  item?.choose()
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (event.isComposing) return
  const open = !list.hidden
  switch (event.key) {
    case 'ArrowDown':
    case 'ArrowUp':
      event.preventDefault()
      if (!open) later(0)
      else if (event.key === 'ArrowDown') mark(chosen + 1)
      else mark(chosen < 0 ? items.length - 1 : chosen - 1)
      break
    case 'Enter':
    case 'Tab':
      if (!open || chosen < 0) return
      event.preventDefault()
      take(chosen)
      break
    case 'Escape':
      event.preventDefault()
      event.stopPropagation()
      if (open) close()
      else input.blur()
  }
}

/** @param {string} query */
function remember(query) {
  if (query) store('recent', [query, ...recent().filter((q) => q !== query)].slice(0, recentMost))
}
