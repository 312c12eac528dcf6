// What neighbours, files and readers write is text: it runs nothing, breaks no
// page, and reaches nobody else's page.
import assert from 'node:assert/strict'
import { createServer, request } from 'node:http'
import { after, before, test } from 'node:test'
import { speak } from './speaker.js'
import { startBrowser, startProgram, until } from './program.js'

const scripts = '</script></title><script>window.owned=1</script>"\'><img src=x onerror="window.owned=2"><svg onload=window.owned=3>'
const invisible = '\u202egnp.exe\u2066\u200b\u0007\u001b[31m\u2028'
const long = 'W'.repeat(60)
const everything = `${scripts}${invisible}${long.repeat(4)}`
/** What fits into 255 octets. */
const short = `<img src=x onerror="window.owned=4">${invisible}${long.repeat(3)}`.slice(0, 200)
const yaml = (text) => JSON.stringify(text)

let program, browser, page, speaker
const answers = []

before(async () => {
  program = await startProgram(everything.replaceAll(/[\u0000-\u001f\u2028]/g, ''), {
    neighbors: `  - { name: evil, address: 127.0.0.14, asn: 64666, group: evil, description: ${yaml(scripts + long.repeat(3))} }`,
    more: 'names: { file: DIR/names.tsv, communities: DIR/communities }',
    files: {
      'names.tsv': `64666\t${scripts}${long}\n20473\t\u202e${scripts}\n6939\t${long.repeat(4)}\n43061\t\u200b\u2066javascript:alert(1)\n`,
      'communities/as64666.txt': `64666:1,${scripts}${long.repeat(3)}\n64666:2,\u202egnp.exe\u2066\n`,
    },
  })
  speaker = await speak({
    port: program.bgp, address: '127.0.0.14', asn: 64666, hostname: short.slice(0, 60), domain: '<b>example</b>', software: short.slice(0, 60),
    route: { prefix: [203, 0, 113], path: [64666, 6939, 43061, 20473], communities: [[64666, 1], [64666, 2], [64666, 3]] },
  })
  await until(async () => (await program.get('/api/v1/routes?q=peer+evil')).total === 1, 'the route')
  browser = await startBrowser()
  page = await browser.newPage()
  page.setDefaultTimeout(10_000)
  page.on('response', (response) => answers.push(response))
})
after(async () => {
  await browser?.close()
  await program?.stop()
})

/** Whether a page is as it must be, whatever is written on it: what is wrong with it. */
async function flaws(path) {
  const found = []
  for (const [width, height] of [[1280, 900], [320, 640]]) {
    await page.setViewportSize({ width, height })
    found.push(...await page.evaluate(() => {
      const wrong = []
      const say = (bad, text) => { if (bad) wrong.push(text) }
      const box = (selector) => document.querySelector(selector)?.getBoundingClientRect()
      say(window.owned !== undefined, `script ran: ${window.owned}`)
      say(document.querySelector('main img, main script, main iframe, main b[onmouseover], [onerror], [onload]'), 'text became elements')
      say([...document.querySelectorAll('a[href], form[action]')].some((e) => /^\s*javascript:/i.test(e.getAttribute('href') ?? e.getAttribute('action'))), 'a link runs')
      say(document.documentElement.scrollWidth > innerWidth, `scrolls sideways: ${document.documentElement.scrollWidth}`)
      const [top, main, footer] = ['.top', 'main', 'footer'].map(box)
      say(!top || !main || !footer || top.left < 0 || top.right > innerWidth + 1 || top.top + scrollY > 1, 'the header is not in its place')
      say(main && footer && (footer.top < main.bottom - 1 || top.bottom > main.top + 1), 'header, page and footer overlap')
      const text = document.body.innerText + document.title
      say(/[\u0000-\u0008\u000e-\u001f\u200b\u202a-\u202e\u2066-\u2069\u2028]/.test(text), 'invisible characters are shown')
      return wrong
    }).then((list) => list.map((text) => `${width} px: ${text}`)))
  }
  return found.map((text) => `${path.slice(0, 60)}: ${text}`)
}

test('what a neighbour, a file of names and a dictionary say is text', async () => {
  const pages = ['/', '/peers', '/peers/evil', '/peers/customer1', '/203.0.113.0/24', '/203.0.113.0/24?cols=peer,group,path,community', '/203.0.113.0/24?style=junos',
    '/search?q=peer+evil', '/as/64666', '/as/20473', '/community/64666:1', '/community/64666:2', '/graph?q=peer+evil', '/changes', '/timeline?q=203.0.113.0/24', '/about']
  const wrong = []
  for (const path of pages) {
    const answer = await page.goto(program.url + path)
    assert.equal(answer.status(), 200, path)
    wrong.push(...await flaws(path))
  }
  assert.deepEqual(wrong, [])
})

test('what a neighbour says when it leaves is text', async () => {
  await speaker.shutdown(short)
  await until(async () => (await program.get('/api/v1/peers/evil')).state !== 'established', 'the end of the session')
  assert.match((await program.get('/api/v1/peers/evil')).last_error, /<img src=x/)
  const wrong = []
  for (const path of ['/', '/peers', '/peers/evil', '/203.0.113.0/24']) {
    await page.goto(program.url + path)
    wrong.push(...await flaws(path))
  }
  await page.goto(`${program.url}/peers/evil`)
  assert.match(await page.locator('main').innerText(), /<img src=x onerror/)
  assert.deepEqual(wrong, [])
})

test('what a reader asks is text, in every parameter', async () => {
  const parameters = {
    '/': ['at', 'collection'],
    '/203.0.113.0/24': ['peer', 'family', 'cols', 'sort', 'view', 'at', 'collection', 'cursor', 'limit', 'frob'],
    '/search': ['q', 'peer', 'family', 'cols', 'sort', 'view', 'at', 'cursor', 'limit', 'stay', 'collection'],
    '/as/64666': ['peer', 'sort', 'cols', 'view'], '/community/64666:1': ['peer', 'sort', 'cols'],
    '/peers': ['find', 'group', 'state', 'sort', 'page', 'at'], '/peers/evil': ['at', 'collection'],
    '/graph': ['q', 'peer', 'family', 'at', 'ascii'], '/changes': ['q', 'between', 'kind', 'order', 'peer', 'cursor', 'limit'],
    '/timeline': ['q', 'between', 'peer'], '/diff': ['q', 'a', 'b', 'peer_a', 'peer_b', 'collection_b', 'kind', 'cursor'],
    '/history': ['at', 'frob'], '/help': ['at', 'frob'], '/about': ['frob'],
  }
  const wrong = []
  for (const [path, names] of Object.entries(parameters)) {
    for (const name of names) {
      const target = `${path}?${name}=${encodeURIComponent(everything)}${path === '/graph' || path === '/timeline' ? name === 'q' ? '' : '&q=203.0.113.0/24' : ''}`
      await page.goto(program.url + target)
      wrong.push(...await flaws(`${path}?${name}=`))
    }
  }
  for (const path of ['', 'peers/', 'as/', 'community/', '203.0.113.0/', '203.0.113.0/24/', 'a/b/c/']) {
    for (const text of [everything, 'javascript:window.owned=5', '..%2f..%2fetc%2fpasswd']) {
      await page.goto(`${program.url}/${path}${encodeURIComponent(text)}`)
      wrong.push(...await flaws(`/${path}…`))
    }
  }
  assert.deepEqual(wrong, [])
})

test('the search box completes hostile names as text', async () => {
  await page.goto(`${program.url}/`)
  for (const text of ['peer ', 'origin 6466', 'community 64666:']) {
    await page.fill('#q', text)
    await page.waitForSelector('#complete li')
    assert.deepEqual(await flaws(text), [])
  }
})

test('every page and asset has the policy, and it has nothing unsafe', async () => {
  const bad = []
  for (const answer of answers) {
    const headers = answer.headers()
    const policy = headers['content-security-policy'] ?? ''
    const strict = policy.startsWith("default-src 'none'") && /frame-ancestors 'none'/.test(policy) && !/unsafe|\*|https?:/.test(policy)
    if (!strict || headers['x-content-type-options'] !== 'nosniff' || headers['set-cookie']) bad.push(answer.url())
  }
  assert.ok(answers.length > 100)
  assert.deepEqual(bad, [])
})

test('a script that gets into a page does not run, and the server is told', async () => {
  const counted = async () => Number((await (await fetch(`${program.admin}/metrics`)).text()).match(/policy_violations_total\{directive="script-src-elem"\} (\d+)/)?.[1] ?? 0)
  await page.goto(`${program.url}/`)
  const before = await counted()
  const blocked = await page.evaluate(() => new Promise((resolve) => {
    document.addEventListener('securitypolicyviolation', (event) => resolve([event.effectiveDirective, event.blockedURI]))
    const script = document.createElement('script')
    script.textContent = 'window.owned = 5'
    document.body.append(script)
  }))
  assert.deepEqual(blocked, ['script-src-elem', 'inline'])
  assert.equal(await page.evaluate(() => window.owned), undefined)
  await until(async () => await counted() > before, 'the report')
  assert.match(program.log(), /policy kept a page from something.*script-src-elem/)
})

test('another site can neither frame a page nor read an answer', async () => {
  const site = createServer((_, answer) => {
    answer.setHeader('Content-Type', 'text/html')
    answer.end(`<iframe src="${program.url}/"></iframe>`)
  })
  await new Promise((resolve) => { site.listen(0, '127.0.0.1', resolve) })
  const other = await browser.newPage()
  const complaints = []
  other.on('console', (message) => complaints.push(message.text()))
  try {
    await other.goto(`http://localhost:${site.address().port}/`)
    await until(() => other.frames().length > 1, 'the frame')
    await until(() => complaints.some((text) => text.includes('frame-ancestors')), 'the refusal')
    assert.equal(await other.frames()[1].locator('main').count(), 0)
    const read = (init) => other.evaluate(([url, options]) => fetch(url, options).then((r) => r.text(), () => 'refused'), [`${program.url}/api/v1/status`, init])
    assert.equal(await read({}), 'refused')
    assert.equal(await read({ credentials: 'include' }), 'refused')
    assert.equal(await read({ method: 'POST', body: '{}', headers: { 'Content-Type': 'text/plain' } }), 'refused')
  } finally {
    await other.close()
    site.close()
  }
})

/** An answer with its raw headers. */
const raw = (path, headers = {}) => new Promise((resolve, reject) => {
  const url = new URL(program.url)
  request({ host: url.hostname, port: url.port, path, headers }, (answer) => {
    answer.resume()
    answer.on('end', () => resolve(answer))
  }).on('error', reject).end()
})

test('no header is made by a reader, and no other name is answered', async () => {
  for (const path of ['/search?q=192.0.2.1%0d%0aSet-Cookie:%20a=b', '/search?q=203.0.113.0/24&stay=%0d%0aX-Evil:%201', '/%0d%0aX-Evil:%201',
    '/api/v1/export?q=203.0.113.0/24&format=csv%0d%0aX-Evil:%201', '/graph.svg?q=203.0.113.0/24%0d%0aX-Evil:1', '/graph.png?q=203.0.113.0/24&theme=%0d%0aX-Evil:1']) {
    const { headers } = await raw(path, { Accept: 'text/html' })
    assert.equal(headers['x-evil'], undefined, path)
    assert.equal(headers['set-cookie'], undefined, path)
    assert.doesNotMatch(headers.location ?? '', /[\r\n]|^\/\/|^[a-z]+:/i, path)
    assert.doesNotMatch(headers['content-disposition'] ?? '', /[\r\n]|%0d/i, path)
  }
  assert.equal((await raw('/', { Host: 'attacker.example' })).statusCode, 421)
  for (const origin of ['https://evil.example', 'null']) {
    assert.equal((await raw('/api/v1/status', { Origin: origin })).headers['access-control-allow-origin'], undefined)
  }
})

test('errors are pages with the reason and the way on', async () => {
  const pages = [['/search?q=frob', 400], ['/peers?frob=1', 400], ['/peers/nobody', 404], ['/a/b/c/d', 404], [`/search?q=${'1'.repeat(7000)}`, 414]]
  for (const [path, status] of pages) {
    const answer = await page.goto(program.url + path)
    assert.equal(answer.status(), status, path)
    assert.deepEqual(await flaws(path), [])
    assert.ok((await page.locator('main p').first().innerText()).length > 10, path)
    assert.ok(await page.locator('main a').count() > 0, path)
  }
  await page.goto(`${program.url}/peers`)
  const posted = page.waitForResponse((response) => response.request().method() === 'POST')
  await page.evaluate(() => {
    const form = document.createElement('form')
    form.method = 'post'
    document.body.append(form)
    form.submit()
  })
  assert.equal((await posted).status(), 405)
  await page.waitForSelector('main a')
  assert.deepEqual(await flaws('POST /peers'), [])
})
