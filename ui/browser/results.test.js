// What a reader does with an answer: copies routes, reads on without end, and goes
// through its past.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { axe, forgive, go, open, page, prefix, program } from './demonstration.js'
import { until } from './program.js'

const clipboard = () => page.evaluate(() => navigator.clipboard.readText())

/** What of a long answer stands in the document. */
const seen = () => page.evaluate(() => ({
  rows: document.querySelectorAll('tr[data-q]').length,
  pages: document.querySelectorAll('.page').length,
  gap: parseFloat(document.querySelector('.gap')?.style.blockSize || '0'),
  nodes: document.querySelectorAll('*').length,
  top: Math.round(scrollY),
  rest: document.documentElement.scrollHeight - innerHeight - scrollY,
  cursor: new URL(location.href).searchParams.get('cursor'),
  prefixes: [...document.querySelectorAll('tr.prefix')].map((tr) => tr.innerText.trim()),
}))

/** The prefix under the head of the table, and where on the screen it is. */
const edge = () => page.evaluate(() => {
  const row = document.elementFromPoint(innerWidth / 3, 60).closest('tbody').querySelector('tr.prefix')
  return { prefix: row.innerText.trim(), at: Math.round(row.getBoundingClientRect().top) }
})

const rest = () => until(async () => {
  const quiet = () => page.evaluate(() => document.querySelectorAll('[aria-busy]').length === 0 && ![...document.querySelectorAll('.page')].some((p) => !p.firstElementChild))
  if (!await quiet()) return false
  await new Promise((r) => setTimeout(r, 250)) // an answer that is scrolled settles after 150 ms
  return quiet()
}, 'pages to come')

test('a route is copied as text, JSON and as routers write it', async () => {
  await go(`/${prefix}`)
  await page.keyboard.press('j')
  await page.keyboard.press('j')
  await page.keyboard.press('j')
  const query = await page.evaluate(() => document.activeElement.closest('tr').dataset.q)
  assert.match(query, new RegExp(`^${prefix.replaceAll('.', '\\.')} peer `))
  const { routes } = await program.get(`/api/v1/routes?q=${encodeURIComponent(query)}`)
  assert.equal(routes.length, 1, `${query} finds other routes, too`)
  await page.keyboard.press('d')
  await until(async () => (await clipboard()).startsWith('{'), 'JSON')
  assert.deepEqual(JSON.parse(await clipboard()), routes[0])
  await page.keyboard.press('r')
  await until(async () => (await clipboard()).startsWith('Status codes'), 'what Cisco writes')
  await page.focus('.copies summary')
  await page.keyboard.press('Enter')
  await page.click('.copies button:has-text("BIRD")')
  await until(async () => (await clipboard()).startsWith('Table master'), 'what BIRD writes')
  assert.equal(await page.locator('.copies[open]').count(), 0)
  await page.keyboard.press('c')
  await until(async () => (await clipboard()).startsWith(`${prefix}  *`), 'the row')
  assert.doesNotMatch(await clipboard(), /Copy|JSON/)
  await page.keyboard.press('r')
  await until(async () => (await clipboard()).startsWith('Table master'), 'what was chosen last')
})

test('the copies keep out of the way, and can be reached by pointer and keyboard', async () => {
  const p = await open({ bypassCSP: true, viewport: { width: 320, height: 640 } })
  await go(`/${prefix}`, p)
  assert.equal(await p.locator('.copies').count(), 0)
  await p.hover('tr[data-q] >> nth=1')
  await p.click('.copies summary')
  await p.evaluate(axe)
  const { violations } = await p.evaluate(() => window.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }))
  assert.deepEqual(violations.map((v) => [v.id, v.nodes.map((n) => n.html)]), [])
  for (const button of await p.locator('.copies summary, .copies button').all()) {
    const box = await button.boundingBox()
    assert.ok(box.width >= 24 && box.height >= 24, `${await button.innerText()} is ${box.width} by ${box.height}`)
  }
  assert.equal(await p.evaluate(() => document.documentElement.scrollWidth > innerWidth), false)
  await p.focus('.copies button')
  await p.keyboard.press('Escape')
  assert.equal(await p.locator('.copies[open]').count(), 0)
  assert.equal(await p.evaluate(() => document.activeElement.textContent), 'Copy')
  await p.context().close()
})

test('an answer of a hundred pages is read to its end in a small document', async () => {
  const { total } = await program.get('/api/v1/routes?q=peer+rs1&limit=1')
  await go('/search?q=peer+rs1&limit=40')
  const first = await seen()
  const prefixes = new Set(first.prefixes)
  let most = 0
  await until(async () => {
    await page.keyboard.press('n')
    await rest()
    const now = await seen()
    most = Math.max(most, now.nodes)
    for (const one of now.prefixes) prefixes.add(one)
    await page.evaluate(() => scrollTo(0, scrollY + innerHeight))
    return now.rest < 1
  }, 'the end', 120_000)
  assert.ok(prefixes.size > total / 10, `${prefixes.size} prefixes of ${total} routes`)
  const all = new Set((await Promise.all(['ipv4', 'ipv6'].map((f) => fetch(`${program.url}/api/v1/routes?q=peer+rs1+family+${f}`, { headers: { Accept: 'text/csv' } }).then((a) => a.text()))))
    .flatMap((csv) => csv.split('\n').slice(1).map((line) => line.split(',')[0]).filter(Boolean)))
  const missing = [...all].filter((one) => !prefixes.has(one))
  assert.ok(missing.length < 10, `passed over ${missing.slice(0, 5)}`) // the demonstration goes on meanwhile
  assert.ok(most < 4 * first.nodes, `${most} elements, ${first.nodes} on the first page`)
  await page.keyboard.press('g')
  await until(async () => (await seen()).top === 0, 'the top')
  await rest()
  assert.equal((await seen()).prefixes[0], first.prefixes[0])
})

test('what is seen stays where it is, and the URL leads there', async () => {
  await go('/search?q=peer+rs1&limit=40')
  for (let i = 0; i < 8; i++) {
    await page.keyboard.press('n')
    await rest()
  }
  await page.mouse.wheel(0, 700)
  await rest()
  await until(async () => (await seen()).cursor, 'the cursor')
  const before = await edge()
  await page.mouse.wheel(0, -1)
  await rest()
  await page.mouse.wheel(0, 1)
  await rest()
  assert.deepEqual(await edge(), before)
  await until(async () => await page.evaluate(() => history.state?.within > 0), 'the place')
  await page.keyboard.press('y')
  await until(async () => await clipboard() === page.url(), 'the link')
  await page.reload()
  await rest()
  const again = await edge()
  assert.equal(again.prefix, before.prefix)
  await page.click(`tr.prefix a:text-is("${before.prefix}")`)
  await page.waitForURL(`**/${before.prefix}`)
  await page.goBack()
  await rest()
  assert.equal((await edge()).prefix, before.prefix)
})

test('the keys go on from page to page', async () => {
  await go('/search?q=peer+rs1&limit=20')
  await rest()
  const last = (await seen()).prefixes[0]
  for (let i = 0; i < 70; i++) await page.keyboard.press('j')
  await rest()
  const at = await page.evaluate(() => document.activeElement.closest('tbody')?.querySelector('.prefix').innerText.trim())
  assert.ok(at && at !== last, `the focus is at ${at}`)
  assert.ok(await page.evaluate(() => document.activeElement.getBoundingClientRect().top > 30), 'the head hides the focus')
})

test('a fresh page leaves what was read on in its place', async () => {
  await go('/search?q=peer+rs1&limit=40')
  for (const times of [1, 6]) {
    for (let i = 0; i < times; i++) {
      await page.keyboard.press('n')
      await rest()
    }
    const before = await edge()
    const cursor = (await seen()).cursor
    await page.evaluate(async () => {
      const { page, swap } = await import([...document.querySelectorAll('link[rel=modulepreload]')].find((l) => l.href.includes('/page-')).href)
      await swap(page.url)
    })
    await rest()
    assert.deepEqual(await edge(), before, `after ${times} pages`)
    assert.equal((await seen()).cursor, cursor)
  }
})

test('the order, the view and the moment go on, too', async () => {
  await go('/search?q=peer+rs1&limit=40&sort=age&cols=peer,path,age&at=1s')
  for (let i = 0; i < 3; i++) {
    await page.keyboard.press('n')
    await rest()
  }
  await until(async () => (await seen()).cursor, 'the cursor')
  const { searchParams } = new URL(page.url())
  assert.deepEqual([searchParams.get('sort'), searchParams.get('cols'), Boolean(searchParams.get('at'))], ['age', 'peer,path,age', true])
  assert.equal(await page.locator('.page >> nth=-1').locator('col').count() % 4, 0)
  await page.locator('.routes thead a:text-is("Peer")').last().click()
  await page.waitForURL('**sort=peer**')
  assert.equal(new URL(page.url()).searchParams.get('cursor'), searchParams.get('cursor'))
  await go('/search?q=peer+rs1&limit=40&style=bird')
  await page.keyboard.press('n')
  await rest()
  assert.ok(await page.locator('pre.router').count() > 1)
})

test('a page that does not come is said, and is a link', async () => {
  let refuse = true
  await page.route('**cursor=**', (route) => (refuse ? route.abort() : route.continue()))
  await go('/search?q=peer+rs1&limit=40')
  await page.keyboard.press('n')
  await until(async () => (await page.locator('#place').textContent()).includes('did not come'), 'what is wrong')
  assert.ok(await page.locator('a[rel=next]').isVisible())
  refuse = false
  forgive('net::ERR_FAILED')
  await until(async () => (await seen()).pages > 1 && (await seen()).rows > 50, 'the page', 20_000)
})

test('without script pages are links still', async () => {
  const p = await open({ javaScriptEnabled: false })
  await go('/search?q=peer+rs1&limit=20', p)
  const first = await p.locator('tr.prefix').first().innerText()
  await p.click('a[rel=next]')
  await p.waitForURL('**cursor=**')
  assert.notEqual(await p.locator('tr.prefix').first().innerText(), first)
  await p.click('text=First page')
  assert.equal(await p.locator('tr.prefix').first().innerText(), first)
  await p.context().close()
})

test('the slider goes through time by keys, by pointer and by touch', async () => {
  const { changes } = await until(async () => {
    const list = await program.get('/api/v1/changes?kind=withdraw')
    return list.changes?.length && list
  }, 'a change', 30_000)
  const path = `/${changes[0].prefix}`
  for (const options of [{}, { viewport: { width: 320, height: 640 }, hasTouch: true }]) {
    const p = await open({ ...options, bypassCSP: true })
    await go(path, p)
    const slider = p.locator('#slider')
    await slider.waitFor()
    const text = () => slider.getAttribute('aria-valuetext')
    const now = async () => Number(await slider.getAttribute('aria-valuenow'))
    const most = Number(await slider.getAttribute('aria-valuemax'))
    assert.deepEqual([await text(), await now()], ['Live', most])
    await slider.focus()
    await p.keyboard.press('ArrowLeft')
    await p.waitForSelector('.live.past')
    assert.match(await text(), new RegExp(`UTC, change ${most - 1} of ${most - 1}$`))
    assert.equal(await p.evaluate(() => document.activeElement.id), 'slider', 'the focus went elsewhere')
    await p.keyboard.press('Home')
    await until(async () => await now() === 1, 'the first change')
    await p.keyboard.press('PageUp')
    await until(async () => await now() === Math.min(11, most), 'ten changes on')
    await p.keyboard.press('End')
    await p.waitForSelector('.live:not(.past)')
    assert.equal(await text(), 'Live')
    const box = await slider.boundingBox()
    assert.ok(box.width > 150 && box.height >= 24, `the slider is ${box.width} by ${box.height}`)
    const url = p.url()
    await p.mouse.move(box.x + box.width / 2, box.y + 10)
    await p.mouse.down()
    await p.mouse.move(box.x + box.width / 3, box.y + 10, { steps: 5 })
    assert.match(await p.locator('#slider + span').innerText(), /^20.* UTC/)
    assert.equal(p.url(), url, 'it went there while it was dragged')
    await p.mouse.up()
    await until(() => p.url().includes('at='), 'the moment')
    await p.waitForSelector('.live.past')
    if (options.hasTouch) {
      await p.touchscreen.tap(box.x + box.width - 1, (await slider.boundingBox()).y + 10)
      await p.waitForSelector('.live:not(.past)')
    }
    await p.evaluate(axe)
    const { violations } = await p.evaluate(() => window.axe.run(document.querySelector('#strip'), { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }))
    assert.deepEqual(violations.map((v) => [v.id, v.nodes.map((n) => n.html)]), [])
    assert.equal(await p.evaluate(() => document.documentElement.scrollWidth > innerWidth), false)
    await p.context().close()
  }
})

test('of two pages on their way the one asked for last is shown', async () => {
  const { changes } = await program.get('/api/v1/changes?kind=withdraw')
  const p = await open({})
  await go(`/${changes[0].prefix}`, p)
  const slider = p.locator('#slider')
  await slider.waitFor()
  let release = () => {}
  const held = new Promise((resolve) => { release = resolve })
  await p.route((url) => url.searchParams.has('at'), async (route) => {
    await held
    await route.continue()
  })
  await slider.focus()
  await p.keyboard.press('ArrowLeft')
  await until(() => p.url().includes('at='), 'the moment')
  const live = p.waitForResponse((answer) => answer.url() === p.url() && !answer.url().includes('at='))
  await p.keyboard.press('End')
  await live
  const late = p.waitForResponse((answer) => answer.url().includes('at='))
  release()
  await (await late).finished()
  await p.evaluate(() => new Promise((resolve) => { requestAnimationFrame(() => { setTimeout(resolve) }) }))
  assert.equal(await slider.getAttribute('aria-valuetext'), 'Live')
  assert.equal(await p.locator('.live.past').count(), 0, 'the page asked for first came last')
  await p.context().close()
})

test('what is played can be stopped', async () => {
  const { changes } = await program.get('/api/v1/changes?kind=withdraw')
  await page.clock.install()
  await go(`/${changes.at(-1).prefix}`)
  await page.click('#strip button[aria-label="Play the changes"]')
  await page.waitForSelector('.live.past')
  await page.keyboard.press('Escape')
  assert.equal(await page.locator('#strip button[aria-label="Play the changes"]').count(), 1)
  const stopped = page.url()
  await page.clock.runFor(60_000) // in which many changes would be shown
  assert.equal(page.url(), stopped)
})
