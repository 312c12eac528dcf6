// Starts the program on free ports with the demonstration and a history of its
// own, and a browser that looks at it. RIBGLASS names the program; without it
// the one in the root of the repository is taken.
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** The program. */
export const binary = process.env.RIBGLASS ?? join(root, 'ribglass')

/** What someone would like a reader's browser to run. */
export const hostile = '<script>window.owned=1</script>"><img src=x onerror="window.owned=2">'

const config = `asn: 64500
router_id: 192.0.2.10
listen: 127.0.0.1:0
http: { listen: "127.0.0.1:0", hosts: [ "127.0.0.1" ]HTTP }
admin: { listen: "127.0.0.1:0" }
data_dir: DATA
neighbors:
  - { name: transit1, address: 127.0.0.11, asn: 25152, group: transit, description: "Transit, full table" }
  - { name: customer1, address: 127.0.0.12, asn: 20473, group: customers, description: 'HOSTILE' }
  - { name: rs1, address: 127.0.0.13, asn: 64510, group: exchange, add_path: true, description: "Route server, several paths a prefix" }
NEIGHBORS
demo:
  speakers:
    - { neighbor: transit1, feed: full }
    - { neighbor: customer1, feed: customer }
    - { neighbor: rs1, feed: route-server }
MORE
`

/** Waits until a condition gives something. */
export async function until(condition, what, milliseconds = 20_000) {
  const end = Date.now() + milliseconds
  for (;;) {
    const got = await condition()
    if (got) return got
    if (Date.now() > end) throw new Error(`waited ${milliseconds} ms for ${what}`)
    await new Promise((r) => setTimeout(r, 50))
  }
}

/**
 * The program, running and full. Lines of YAML add neighbours to its
 * configuration and sections to its end; DIR in them is its directory, in which
 * there are the files that are given.
 * @param {string} [description] of a peer
 * @param {{neighbors?: string, http?: string, more?: string, files?: Record<string, string>}} [options]
 * @returns {Promise<{url: string, admin: string, bgp: number, get: (path: string) => Promise<any>, log: () => string, stop: () => Promise<void>}>}
 */
export async function startProgram(description = hostile, { neighbors = '', http = '', more = '', files = {} } = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'ribglass-browser-'))
  const file = join(dir, 'config.yaml')
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(dir, dirname(name)), { recursive: true })
    await writeFile(join(dir, name), text)
  }
  const text = config.replace('DATA', join(dir, 'data')).replace('HOSTILE', () => description.replaceAll("'", "''"))
    .replace('NEIGHBORS', () => neighbors).replace('HTTP', () => http && `, ${http}`).replace('MORE', () => more).replaceAll('DIR', dir)
  await writeFile(file, text)
  const child = spawn(binary, ['serve', '--config', file], { stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  let ended = false
  child.stderr.on('data', (part) => { log += part })
  const exit = new Promise((resolve) => child.once('exit', () => { ended = true; resolve() }))
  const stop = async () => {
    child.kill('SIGTERM')
    await exit
    await rm(dir, { recursive: true })
  }
  const address = (what) => until(() => {
    if (ended) throw new Error(`the program ended:\n${log}`)
    return log.match(new RegExp(`${what}.*address["=: ]+([0-9.:]+)`))?.[1]
  }, `where it is ${what}`)
  try {
    const url = `http://${await address('http listening')}`
    const admin = `http://${await address('admin listening')}`
    const bgp = Number((await address('listening for BGP')).split(':').pop())
    const get = async (path) => (await fetch(url + path, { headers: { Accept: 'application/json' } })).json()
    const full = (p) => p.state === 'established' && p.end_of_rib.ipv4_unicast
    await until(async () => (await get('/api/v1/peers')).peers?.filter(full).length >= 3, 'a full table')
    return { url, admin, bgp, get, log: () => log, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

// Nothing but the pages: no sandbox, which needs rights that a container does
// not have, and none of what a browser does of its own.
const flags = [
  '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run', '--disable-quic',
]

/** A browser with a profile of its own. CHROMIUM names another one than Debian's. */
export function startBrowser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: flags })
}

/** A prefix with routes of several peers. */
export async function busyPrefix(program) {
  const { routes } = await program.get('/api/v1/routes?q=peer+rs1&limit=1000')
  const times = new Map()
  for (const r of routes) times.set(r.prefix, (times.get(r.prefix) ?? 0) + 1)
  return [...times].sort((a, b) => b[1] - a[1])[0][0]
}
