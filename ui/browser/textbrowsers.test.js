// The pages in w3m and lynx, which know neither script nor style. They are tested
// where they are installed, and must be where CI is set.
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { busyPrefix, startProgram } from './program.js'

const run = promisify(execFile)
const browsers = { w3m: ['-dump', '-cols', '100'], lynx: ['-dump', '-width=100', '-nolist'] }

let program, prefix, pages

before(async () => {
  program = await startProgram('Customer with its own downstreams')
  prefix = await busyPrefix(program)
  pages = {
    '/': ['Looking glass of AS64500', 'Look up', /rs1[\s\S]*Route server/, 'established', '3 of 3 peers up', /IPv4[\s\S]*IPv6/, 'Help'],
    [`/${prefix}`]: [`Routes of ${prefix}`, /\*>\s+\S/, 'AS path', 'Next hop', 'Communities', /AS64510/, /best: \S+/, 'JSON'],
    '/search?q=peer+rs1&limit=5': ['Routes from rs1', '5 on this page', 'Next page'],
    '/peers': ['3 peers', /customer1[\s\S]*rs1[\s\S]*transit1/, 'Find', '25152'],
    '/peers/rs1': [/\nrs1|\s+rs1\n/, 'Families', 'Capabilities', 'add-path', 'Messages since', 'established'],
    '/diff': ['Compare', 'Help'],
    '/help': ['How to ask', 'or-longer', 'neighbor-as', 'path ^64500_.*_64510$'],
    [`/graph?q=${prefix}`]: [`AS paths: ${prefix}`, 'The paths as text', /rs1\s+\d+ \d+/, 'PNG'],
  }
})
after(() => program?.stop())

function installed(name) {
  try {
    execFileSync('sh', ['-c', `command -v ${name}`])
    return true
  } catch {
    return false
  }
}

for (const [name, options] of Object.entries(browsers)) {
  const skip = !installed(name) && !process.env.CI && `${name} is not installed`
  test(`${name} shows what is essential on every page`, { skip }, async () => {
    const missing = []
    for (const [path, texts] of Object.entries(pages)) {
      const { stdout } = await run(name, [...options, program.url + path])
      for (const text of texts) {
        if (!(text instanceof RegExp ? text.test(stdout) : stdout.includes(text))) missing.push(`${path}: ${text}\n${stdout}`)
      }
      for (const glued of [/[a-z]\d+ IPv[46]\d/, /IPv4\d+ IPv6/, /rs1Route/, /[a-z\d]·[a-z\d]/]) {
        if (glued.test(stdout)) missing.push(`${path}: texts run together: ${stdout.match(glued)[0]}`)
      }
      if (/\u001b|<img|undefined|ZgotmplZ/.test(stdout)) missing.push(`${path}: what should not be there`)
    }
    assert.deepEqual(missing, [])
  })
}

test('the links that lynx lists work', { skip: !installed('lynx') && !process.env.CI && 'lynx is not installed' }, async () => {
  const links = new Set()
  for (const path of Object.keys(pages)) {
    const { stdout } = await run('lynx', ['-dump', '-listonly', program.url + path])
    for (const [url] of stdout.matchAll(/http:\/\/\S+/g)) links.add(url.replace(/#.*/, ''))
  }
  const broken = []
  for (const url of [...links].slice(0, 200)) {
    const { status } = await fetch(url, { headers: { Accept: 'text/html, application/json, */*' } })
    if (status >= 400) broken.push(`${status} ${url}`)
  }
  assert.ok(links.size > 40)
  assert.deepEqual(broken, [])
})
