// The moments that the strip goes to.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load } from './module.js'

const { beside, pick, upTo, utc } = await load('moments.js')

const changes = [100, 200, 300]

for (const [name, fraction, want] of [
  ['left of all is the begin', -1, 0], ['near a change is the change', 0.201, 200], ['between changes is the time', 0.25, 250],
  ['before the first change, too', 0.05, 50], ['at the end is now', 1, Infinity], ['beyond it, too', 2, Infinity],
]) test(`pick: ${name}`, () => assert.equal(pick(changes, 0, 1000, fraction, 0.01), want))

test('pick: of two that are near the nearer', () => assert.equal(pick([100, 110], 0, 1000, 0.106, 0.05), 110))
test('pick: without changes there are times', () => assert.equal(pick([], 0, 1000, 0.5, 0.05), 500))

for (const [name, at, by, want] of [
  ['back from now is the last', Infinity, -1, 300], ['back from between is the one before', 250, -1, 200], ['back from a change is the one before it', 200, -1, 100],
  ['back from the first is nothing', 100, -1, undefined], ['ten back are all there are', 250, -10, 100], ['on from between is the next', 250, 1, 300],
  ['on from the last is now', 300, 1, Infinity], ['on from now is nothing', Infinity, 1, undefined], ['two on', 100, 2, 300], ['ten on are now', 100, 10, Infinity],
]) test(`beside: ${name}`, () => assert.equal(beside(changes, at, by), want))

test('upTo counts what has happened', () => assert.deepEqual([50, 100, 250, Infinity].map((at) => upTo(changes, at)), [0, 1, 2, 3]))
test('utc is to the second', () => assert.equal(utc(Date.UTC(2026, 10, 22, 3, 12, 5, 999)), '2026-11-22 03:12:05'))
