// A live page follows what it shows: the server says that it changed, and the
// fresh page takes the place of this one where it differs, without a jump.
import { bind } from './keys.js'
import { make, page, swap, t } from './page.js'

/** @type {EventSource | undefined} */
let source
let frozen = false
let waiting = 0 // changes that are not shown yet
let busy = false

const told = make('span', { role: 'status' })
const pulse = make('p', { id: 'pulse' }, told, ' ')
const button = make('button', { type: 'button', class: 'quiet', 'aria-pressed': 'false' }, t('script.freeze'))

/** Follows the page, when it is one that is followed. */
export function connectLive() {
  if (!events() && !document.getElementById('strip')) return
  document.body.append(pulse)
  pulse.append(button)
  button.addEventListener('click', freeze)
  document.addEventListener('swapped', () => { if (Boolean(source) !== Boolean(events())) listen() })
  bind('f', t('script.key_freeze'), freeze)
  document.addEventListener('visibilitychange', listen)
  document.addEventListener('selectionchange', () => { if (waiting && !frozen) show() })
  listen()
}

const events = () => document.querySelector('main')?.dataset.events

/** Listens while the page is seen. What was missed shows when it is again. */
function listen() {
  source?.close()
  source = undefined
  pulse.hidden = !events()
  const url = events()
  if (document.hidden || !url) return
  source = new EventSource(url)
  source.addEventListener('change', (event) => {
    waiting += JSON.parse(event.data).changes
    show()
  })
}

async function show() {
  if (busy) return
  if (frozen || selects()) {
    tell(t('script.changes_waiting', waiting))
    return
  }
  busy = true
  const shown = waiting
  const stays = page.wanted === page.url // else the reader is on the way to another page
  if (stays && await swap(page.url).catch(() => false)) {
    waiting -= shown
    tell(t('script.changes', shown))
  }
  busy = false
  if (waiting) setTimeout(show, 1000)
}

/** Whether the reader marks text, which a fresh page would take away. */
function selects() {
  const selection = getSelection()
  return Boolean(selection && !selection.isCollapsed && document.querySelector('main')?.contains(selection.anchorNode))
}

/** @param {string} text */
function tell(text) {
  told.textContent = text
}

function freeze() {
  frozen = !frozen
  button.textContent = frozen ? t('script.frozen') : t('script.freeze')
  button.setAttribute('aria-pressed', String(frozen))
  tell('')
  if (!frozen && waiting) show()
}
