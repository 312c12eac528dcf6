// What pages can do with script. Without it they are links and forms.
import { connectGraph } from './graph.js'
import { connectKeys } from './keys.js'
import { connectLive } from './live.js'
import { copy, make, say, store, t } from './page.js'
import { connectParts } from './part.js'
import { connectPaging } from './paging.js'
import { connectRows } from './row.js'
import { connectSearch } from './search.js'
import { connectStrip } from './strip.js'

connectSearch()
connectKeys()
connectRows()
connectTheme()
connectLive()
connectStrip()
connectGraph()
connectPaging()
connectParts()
document.addEventListener('toggle', offerToCopy, true)
document.addEventListener('pointerover', tellLocalTime)
document.addEventListener('focusin', tellLocalTime)

/**
 * What is unfolded may have octets to copy.
 * @param {Event} event
 */
function offerToCopy(event) {
  if (!(event.target instanceof HTMLDetailsElement)) return
  for (const hex of event.target.querySelectorAll(':scope > .hex')) {
    if (hex.previousElementSibling?.matches('button')) continue
    const button = make('button', { type: 'button' }, t('script.copy'))
    button.addEventListener('click', () => copy(hex.textContent ?? '', t('script.message_copied')))
    hex.before(button)
  }
}

/** The switch goes from what the system says to the other theme and back. */
function connectTheme() {
  const button = document.getElementById('theme')
  if (!button) return
  const root = document.documentElement
  /** @type {Record<string, string>} */
  const names = { system: t('script.theme_system'), light: t('script.theme_light'), dark: t('script.theme_dark') }
  const label = () => { button.textContent = names[root.dataset.theme ?? 'system'] }
  button.hidden = false
  label()
  button.addEventListener('click', () => {
    const themes = Object.keys(names)
    const next = themes[(themes.indexOf(root.dataset.theme ?? 'system') + 1) % themes.length]
    if (next === 'system') delete root.dataset.theme
    else root.dataset.theme = next
    store('theme', next === 'system' ? null : next)
    label()
    say(names[next])
  })
}

/**
 * A time says on hover what it is here; on the page it is UTC.
 * @param {Event} event
 */
function tellLocalTime(event) {
  const target = /** @type {Element} */ (event.target)
  const time = /** @type {HTMLTimeElement | null} */ (target.closest?.('time[datetime]') ?? target.querySelector?.(':scope > time[datetime]'))
  if (!time || time.dataset.local) return
  time.dataset.local = 'told'
  const local = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' }).format(new Date(time.dateTime))
  time.title = [time.title, t('script.local_time', local)].filter(Boolean).join('\n')
}
