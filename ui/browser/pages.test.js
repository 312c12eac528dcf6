// The pages in a real browser, on the running program.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { after, before, beforeEach, afterEach, test } from 'node:test'
import { busyPrefix, startBrowser, startProgram, until } from './program.js'

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

let program, browser, page, prefix
let wrong = [] // what the browser complained about

before(async () => {
  program = await startProgram()
  browser = await startBrowser()
  prefix = await busyPrefix(program)
})
after(async () => {
  await browser?.close()
  await program?.stop()
})
beforeEach(async () => { page = await open() })
afterEach(async () => {
  await page.context().close()
  assert.deepEqual(wrong, [])
  wrong = []
})

async function open(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, permissions: ['clipboard-read', 'clipboard-write'], ...options })
  const p = await context.newPage()
  p.setDefaultTimeout(10_000)
  p.on('pageerror', (error) => wrong.push(error.message))
  p.on('console', (message) => { if (message.type() === 'error') wrong.push(message.text()) })
  return p
}

const go = (path, p = page) => p.goto(program.url + path)
const heading = (p = page) => p.locator('h1').innerText()
const focused = () => page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent)

test('a search leads to the page of the prefix, and its rows lead on', async () => {
  await go('/')
  await page.fill('#q', prefix)
  await page.click('#search button')
  await page.waitForURL(`**/${prefix}`)
  assert.equal(await heading(), `Routes of ${prefix}`)
  assert.equal(await page.locator('tr.best').count(), 1)
  assert.ok(await page.locator('.same').count() > 0, 'nothing is dimmed')
  await page.click('tr.best td[data-label=Peer] a')
  await page.waitForURL('**/peers/*')
})

test('columns, order and views are links', async () => {
  await go(`/${prefix}`)
  await page.click('.tools summary')
  await page.click('.tools li >> text=Communities')
  await page.waitForURL('**cols=**')
  assert.ok(await page.locator('th', { hasText: 'Communities' }).count())
  await page.click('thead >> text=Age')
  await page.waitForURL('**sort=age**')
  await page.click('.tools >> text=Junos')
  await page.waitForURL('**view=junos**')
  assert.match(await page.locator('pre.router').innerText(), /^inet6?\.0:/)
})

test('completion: words, peers, recent queries, how it is understood', async () => {
  await go('/')
  await page.keyboard.press('/')
  assert.equal(await focused(), 'q')
  await page.keyboard.type('neig')
  await page.waitForSelector('#complete li:has-text("neighbor-as")')
  assert.equal(await page.getAttribute('#q', 'aria-expanded'), 'true')
  await page.keyboard.press('ArrowDown')
  assert.equal(await page.getAttribute('#q', 'aria-activedescendant'), 'complete-0')
  await page.keyboard.press('Enter')
  assert.equal(await page.inputValue('#q'), 'neighbor-as ')
  await page.keyboard.type('6939 pe')
  await page.waitForSelector('#complete li:has-text("peer")')
  await page.keyboard.press('Escape')
  assert.equal(await page.getAttribute('#q', 'aria-expanded'), 'false')
  await page.keyboard.type('er rs')
  await page.waitForSelector('#complete li:has-text("rs1")')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Tab')
  await until(async () => await page.inputValue('#q') === 'neighbor-as 6939 peer rs1 ', 'the whole query')
  await page.keyboard.press('Enter')
  await page.waitForURL('**/search?q=**')
  await page.fill('#q', 'frob')
  await page.waitForSelector('#understood.wrong')
  await page.fill('#q', '13335')
  await until(async () => (await page.locator('#understood').innerText()).includes('origin 13335'), 'the reading')
  await page.fill('#q', '')
  await page.waitForSelector('#complete li:has-text("neighbor-as 6939 peer rs1")')
  await page.click('#complete li:has-text("my address")')
  await until(async () => await page.inputValue('#q') === '127.0.0.1', 'the address')
})

test('everything by the keyboard', async () => {
  await go('/')
  await page.keyboard.press('?')
  await page.waitForSelector('dialog[open]')
  await page.keyboard.press('Escape')
  await page.waitForSelector('dialog', { state: 'detached' })
  await page.keyboard.press('t')
  assert.equal(await page.evaluate(() => document.activeElement.name), 'at')
  await page.keyboard.press('Escape')
  await page.keyboard.press('/')
  await page.keyboard.type(prefix)
  await page.keyboard.press('Enter')
  await page.waitForURL(`**/${prefix}`)
  await page.keyboard.press('j')
  await page.keyboard.press('ArrowDown')
  assert.ok(await page.evaluate(() => document.activeElement.closest('tr.best')), 'the best route has not the focus')
  await page.keyboard.press('c')
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), new RegExp(`^${prefix.replaceAll('.', '\\.')}  \\*>`))
  await page.keyboard.press('y')
  await until(async () => await page.evaluate(() => navigator.clipboard.readText()) === `${program.url}/${prefix}`, 'the link')
  await page.keyboard.press('k')
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await page.waitForURL('**/peers/*')
  await page.keyboard.press('h')
  await page.waitForURL(`${program.url}/`)
})

test('without script pages are links and forms', async () => {
  const p = await open({ javaScriptEnabled: false })
  await go('/', p)
  assert.equal(await p.locator('#theme').isVisible(), false)
  await p.fill('#q', prefix)
  await p.press('#q', 'Enter')
  await p.waitForURL(`**/${prefix}`)
  await p.fill('.live input[name=at]', '1s')
  await p.click('.moment button')
  await p.waitForURL('**at=**')
  await p.waitForSelector('.live.past')
  await p.click('text=Back to live')
  await p.waitForURL(`**/${prefix}`)
  await p.click('thead a >> nth=0')
  await p.waitForURL('**sort=**')
  await p.click('text=paths as a picture')
  await p.waitForURL('**/graph?**')
  assert.ok(await p.locator('.graph .node').count() > 2)
  await p.locator('.graph a[href^="/as/"]').last().click()
  await p.waitForURL('**/as/**')
  await p.fill('#q', 'peer rs1')
  await p.press('#q', 'Enter')
  await p.waitForURL('**/search?**')
  await p.locator('.facets a').first().click()
  await p.waitForURL(/peer\+rs1.+/)
  assert.ok(await p.locator('tr.prefix').count() > 0, 'nothing is left of the answer')
  await go('/search?q=peer+rs1&limit=20', p)
  await p.click('a[rel=next]')
  await p.waitForURL('**cursor=**')
  await go('/peers', p)
  await p.fill('input[name=find]', 'rs1')
  await p.click('.ask button')
  await p.waitForURL('**find=rs1**')
  assert.equal(await p.locator('tbody tr').count(), 1)
  await go('/diff', p)
  assert.ok(await p.locator('main form input').count() > 1, 'there is no form to compare')
  await p.context().close()
})

test('the theme follows the system and the switch', async () => {
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
  await go('/')
  const light = await background()
  await page.emulateMedia({ colorScheme: 'dark' })
  const dark = await background()
  assert.notEqual(dark, light)
  await page.click('#theme')
  assert.equal(await background(), light)
  await page.reload()
  assert.equal(await background(), light, 'the choice is forgotten')
  await page.click('#theme')
  await page.emulateMedia({ colorScheme: 'light' })
  assert.equal(await background(), dark)
})

test('axe finds nothing, in both themes and on a telephone', async () => {
  const pages = ['/', `/${prefix}`, `/${prefix}?view=bird`, '/search?q=peer+rs1&limit=20', '/peers', '/peers/rs1', '/as/6939', '/changes', `/timeline?q=${prefix}`, '/diff', '/history', '/help', '/about', '/search?q=frob', `/graph?q=${prefix}`]
  const found = []
  const rules = { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }
  const colours = { type: 'rule', values: ['color-contrast', 'link-in-text-block'] } // all else is the same in the dark
  for (const options of [{}, { colorScheme: 'dark' }, { viewport: { width: 320, height: 640 } }]) {
    const p = await open({ ...options, bypassCSP: true })
    for (const path of pages) {
      await go(path, p)
      await p.evaluate(axe)
      const { violations } = await p.evaluate((runOnly) => window.axe.run({ runOnly }), options.colorScheme === 'dark' ? colours : rules)
      found.push(...violations.map((v) => `${JSON.stringify(options)} ${path}: ${v.id}: ${v.nodes.map((n) => n.html).slice(0, 2).join(' | ')}`))
      const wide = await p.evaluate(() => document.documentElement.scrollWidth > innerWidth)
      if (wide) found.push(`${JSON.stringify(options)} ${path} scrolls sideways`)
    }
    await p.context().close()
  }
  wrong = wrong.filter((text) => !text.includes('400'))
  assert.deepEqual(found, [])
})

test('pages, styles and scripts keep within their budgets', async () => {
  const sizes = {}
  const client = await page.context().newCDPSession(page)
  await client.send('Network.enable')
  const kinds = new Map()
  client.on('Network.responseReceived', ({ requestId, type }) => kinds.set(requestId, type))
  client.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const kind = kinds.get(requestId)
    sizes[kind] = (sizes[kind] ?? 0) + encodedDataLength
  })
  await page.goto(`${program.url}/search?q=peer+rs1`, { waitUntil: 'networkidle' })
  for (const [kind, most] of Object.entries({ Document: 14, Stylesheet: 10, Script: 25 })) {
    assert.ok(sizes[kind] > 0 && sizes[kind] <= most * 1024, `${kind}: ${sizes[kind]} bytes, ${most} kB are allowed`)
  }
})

test('a page moves nothing while it loads', async () => {
  await go('/search?q=peer+rs1&limit=20')
  await page.waitForLoadState('networkidle')
  const moved = await page.evaluate(() => new Promise((resolve) => {
    const observer = new PerformanceObserver(() => {})
    observer.observe({ type: 'layout-shift', buffered: true })
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(observer.takeRecords().reduce((sum, entry) => sum + entry.value, 0))))
  }))
  assert.ok(moved < 0.01, `moved by ${moved}`)
})

test('what is pointed at or focused shows its paths in the picture', async () => {
  await go(`/graph?q=${prefix}`)
  const lit = () => page.locator('.graph .node.lit').count()
  const all = await page.locator('.graph .node').count()
  assert.equal(await lit(), 0)
  await page.locator('tr.best td.path').hover()
  await until(async () => await lit() > 1, 'the path of the row')
  assert.ok(await lit() < all, 'everything is lit')
  await page.mouse.move(2, 2)
  await until(async () => await lit() === 0, 'the picture as it was')
  await page.keyboard.press('j')
  await until(async () => await page.locator('tr.lit').count() === 1, 'the row that has the focus')
  await page.locator('.graph a:has(.origin)').first().focus()
  await until(async () => await page.locator('tr.lit').count() > 1, 'the rows of an AS')
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/(as|peers)\//)
})

test('the picture is a PNG and an SVG to keep', async () => {
  await go(`/graph?q=${prefix}`)
  for (const [name, file] of [['SVG', 'as-paths.svg'], ['PNG', 'as-paths.png'], ['dark', 'as-paths.png']]) {
    const [download] = await Promise.all([page.waitForEvent('download'), page.locator('.lead a', { hasText: name }).first().click()])
    assert.equal(download.suggestedFilename(), file)
    assert.ok((await readFile(await download.path())).length > 1000)
  }
})

test('a live page follows what it shows, and can be frozen', async () => {
  await go('/peers')
  const at = () => page.locator('.live time').first().getAttribute('datetime')
  await page.evaluate(() => { document.querySelector('main a').focus() })
  const focusedBefore = await focused()
  const before = await at()
  await until(async () => await at() !== before, 'a fresh page', 30_000)
  assert.match(await page.locator('#pulse').innerText(), /\d+ changes?/)
  assert.equal(await focused(), focusedBefore, 'the focus went elsewhere')
  await page.keyboard.press('f')
  const frozen = await at()
  await until(async () => /waiting/.test(await page.locator('#pulse').innerText()), 'changes that wait', 30_000)
  assert.equal(await at(), frozen)
  await page.keyboard.press('f')
  await until(async () => await at() !== frozen, 'the page to live again')
})

test('the strip steps through changes, plays them, and leads to a comparison', async () => {
  const { changes } = await until(async () => {
    const list = await program.get('/api/v1/changes?kind=withdraw')
    return list.changes?.length && list
  }, 'a change', 30_000)
  await go(`/${changes[0].prefix}`)
  await page.waitForSelector('#strip svg')
  await page.keyboard.press('ArrowLeft')
  await page.waitForSelector('.live.past')
  assert.match(page.url(), /at=/)
  const first = page.url()
  await page.keyboard.press('ArrowLeft')
  await until(() => page.url() !== first, 'the change before')
  await page.waitForSelector('#strip .here', { state: 'attached' })
  await page.keyboard.press('ArrowRight')
  await until(() => page.url() === first, 'the change again')
  await page.goBack()
  await page.click('#strip button[aria-label="Play the changes"]')
  await page.waitForSelector('.live:not(.past)', { timeout: 30_000 })
  await page.click('#strip >> text=Compare')
  await page.waitForURL('**/diff?**')
  assert.match(await page.locator('main').innerText(), /added|withdrawn|Nothing differs/)
})
