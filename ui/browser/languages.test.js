// The pages in other languages than English, on the running program.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import { busyPrefix, startBrowser, startProgram } from './program.js'

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

// A language from right to left, as an operator would add it.
const arabic = {
  language: 'ar', name: 'العربية', dir: 'rtl',
  texts: { 'frame.look_up': 'بحث', 'peers.title': 'الأقران', 'column.path': 'مسار AS', 'script.freeze': 'تجميد', 'about.exact': 'مسارات {prefix}' },
}

let program, browser, prefix

before(async () => {
  program = await startProgram('وصف القرين 64500', { http: 'texts: "DIR/texts"', files: { 'texts/ar.json': JSON.stringify(arabic) } })
  browser = await startBrowser()
  prefix = await busyPrefix(program)
})
after(async () => {
  await browser?.close()
  await program?.stop()
})

/** A page in a browser of a reader of a language. */
async function open(t, options) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
  t.after(() => context.close())
  const page = await context.newPage()
  const wrong = []
  page.on('pageerror', (error) => wrong.push(error.message))
  page.on('console', (message) => { if (message.type() === 'error') wrong.push(message.text()) })
  t.after(() => assert.deepEqual(wrong, []))
  return page
}

test('a German browser gets German pages, and scripts speak German', async (t) => {
  const page = await open(t, { locale: 'de-DE' })
  await page.goto(`${program.url}/${prefix}`)
  assert.equal(await page.getAttribute('html', 'lang'), 'de')
  assert.equal(await page.locator('h1').innerText(), `Routen von ${prefix}`)
  assert.equal(await page.locator('#pulse button').innerText(), 'Anhalten')
  await page.keyboard.press('?')
  assert.match(await page.locator('#keys').innerText(), /nächste Zeile/)
})

test('a link chooses a language, and the pages that it leads to keep it', async (t) => {
  const page = await open(t, { locale: 'en-GB' })
  await page.goto(`${program.url}/${prefix}`)
  assert.equal(await page.getAttribute('html', 'lang'), 'en')
  await page.click('.languages >> text=Deutsch')
  assert.equal(await page.getAttribute('html', 'lang'), 'de')
  await page.click('tr.best td.peer a')
  await page.waitForURL('**/peers/*')
  assert.equal(await page.getAttribute('html', 'lang'), 'de')
  await page.fill('#q', '1.1.1.1')
  await page.click('#search button')
  await page.waitForURL('**/1.1.1.1*')
  assert.equal(await page.getAttribute('html', 'lang'), 'de')
  assert.deepEqual(await page.context().cookies(), [])
})

test('from right to left: the page turns, routing data does not', async (t) => {
  for (const viewport of [{ width: 1280, height: 900 }, { width: 360, height: 740 }]) {
    const page = await open(t, { locale: 'ar', viewport })
    await page.goto(`${program.url}/${prefix}`)
    assert.equal(await page.getAttribute('html', 'dir'), 'rtl')
    const look = await page.evaluate(() => {
      const hops = [...document.querySelector('tr.best .path, .path').querySelectorAll('.as')].map((e) => e.getBoundingClientRect())
      const row = hops.filter((h) => h.top === hops[0].top)
      return {
        brand: document.querySelector('.brand').getBoundingClientRect().left > innerWidth / 2,
        path: row.every((h, i) => i === 0 || h.left > row[i - 1].left),
        wide: document.documentElement.scrollWidth > innerWidth,
      }
    })
    assert.deepEqual(look, { brand: true, path: true, wide: false })
    await page.evaluate(axe)
    const found = await page.evaluate(async () => (await globalThis.axe.run()).violations.map((v) => `${v.id}: ${v.nodes[0].html}`))
    assert.deepEqual(found, [])
  }
})
