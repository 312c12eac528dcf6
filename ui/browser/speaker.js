// A BGP speaker that says what no router should: it keeps a session, announces
// routes, and ends it with a reason in words.
import { connect } from 'node:net'

const u8 = (...n) => Buffer.from(n)
const u16 = (n) => u8(n >> 8, n & 255)
const u32 = (n) => u8(n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255)
const counted = (text) => { const b = Buffer.from(text); return Buffer.concat([u8(b.length), b]) }

function message(type, ...parts) {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.alloc(16, 255), u16(19 + body.length), u8(type), body])
}

const capability = (code, ...parts) => { const b = Buffer.concat(parts); return Buffer.concat([u8(code, b.length), b]) }
const attribute = (flags, type, ...parts) => { const b = Buffer.concat(parts); return Buffer.concat([u8(flags, type, b.length), b]) }

/** OPEN with the names of host and software (RFC 9072 is not needed: each fits an octet). */
function open({ asn, hostname, domain, software }) {
  const capabilities = Buffer.concat([
    capability(1, u16(1), u8(0, 1)), capability(65, u32(asn)),
    capability(73, counted(hostname), counted(domain)), capability(75, counted(software)),
  ])
  return message(1, u8(4), u16(asn), u16(90), u8(192, 0, 2, 66), u8(capabilities.length + 2, 2, capabilities.length), capabilities)
}

/** UPDATE of one /24 with a path and communities. */
function update({ prefix, path, communities }) {
  const attributes = Buffer.concat([
    attribute(0x40, 1, u8(0)), attribute(0x40, 2, u8(2, path.length), ...path.map(u32)), attribute(0x40, 3, u8(192, 0, 2, 66)),
    attribute(0xc0, 8, ...communities.map(([a, b]) => Buffer.concat([u16(a), u16(b)]))),
  ])
  return message(2, u16(0), u16(attributes.length), attributes, u8(24, ...prefix))
}

/**
 * Opens a session and announces a route.
 * @returns {Promise<{shutdown: (reason: string) => Promise<void>}>} shutdown ends
 *   the session with a Cease, Administrative Shutdown (RFC 9003)
 */
export async function speak({ port, address, route, ...who }) {
  const socket = connect({ port, host: '127.0.0.1', localAddress: address })
  await new Promise((resolve, reject) => { socket.once('connect', resolve); socket.once('error', reject) })
  socket.on('error', () => {}) // what became of the session is seen on the pages
  socket.write(open(who))
  let bytes = Buffer.alloc(0)
  await new Promise((resolve, reject) => {
    socket.on('close', () => reject(new Error('the session was refused')))
    socket.on('data', (part) => {
      bytes = Buffer.concat([bytes, part])
      while (bytes.length >= 19 && bytes.length >= bytes.readUInt16BE(16)) {
        const type = bytes[18]
        bytes = bytes.subarray(bytes.readUInt16BE(16))
        if (type === 1) socket.write(message(4))
        if (type === 4) resolve()
      }
    })
  })
  socket.write(Buffer.concat([update(route), message(2, u16(0), u16(0))]))
  return {
    shutdown: (reason) => new Promise((resolve) => {
      socket.once('close', resolve)
      socket.end(message(3, u8(6, 2), counted(reason)))
      socket.resume()
    }),
  }
}
