// What every test needs: the address of an emulator, a project of its own in
// it, the official SDK on that project, and the emulator's control paths.
//
// DESCOPE_EMULATOR_URL names an emulator that runs. Otherwise one is started:
// by the shell command DESCOPE_EMULATOR_CMD, or from the tool's own binary,
// DESCOPE_MGMT_BIN; it prints "listening on http://HOST:PORT" first. It must
// run with the default budgets and quirks.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import DescopeClient from '@descope/node-sdk';

export const baseUrl = await address();

async function address() {
  if (process.env.DESCOPE_EMULATOR_URL) return process.env.DESCOPE_EMULATOR_URL;
  const binary = process.env.DESCOPE_MGMT_BIN;
  const command = process.env.DESCOPE_EMULATOR_CMD ?? (binary && '"$DESCOPE_MGMT_BIN" emulator --listen 127.0.0.1:0');
  if (!command) throw new Error('set DESCOPE_EMULATOR_URL, DESCOPE_EMULATOR_CMD or DESCOPE_MGMT_BIN');
  const child = spawn(command, { shell: true, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  after(() => {
    try {
      process.kill(-child.pid);
    } catch {
      // It has ended by itself.
    }
  });
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) {
    const found = /^listening on (http:\/\/\S+)$/.exec(line);
    if (!found) throw new Error(`the emulator's first line is ${JSON.stringify(line)}`);
    child.stdout.resume();
    child.stdout.unref();
    child.unref();
    return found[1];
  }
  throw new Error(`${command} ended without a line`);
}

// project gives a test a new, empty project, and forgets faults and whatever
// has been counted against the budgets.
export async function project({ managementKey = 'K2conformance' } = {}) {
  await control('reset', { faults: true, rate: true });
  const projectId = `P2${randomBytes(13).toString('hex')}`;
  return { projectId, management: client(projectId, managementKey).management };
}

export function client(projectId, managementKey) {
  return DescopeClient({ projectId, managementKey, baseUrl });
}

// control posts to a control path of the emulator.
export async function control(path, body) {
  const reply = await fetch(`${baseUrl}/_emulator/${path}`, { method: 'POST', body: JSON.stringify(body) });
  if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
}

// ask calls an endpoint that the SDK does not have, and fails unless it answers 200.
export async function ask(projectId, path, body = {}) {
  const reply = await fetch(`${baseUrl}${path}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${projectId}:K2conformance` },
    body: JSON.stringify(body),
  });
  if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
  return reply.json();
}

// requests lists what a project has been asked, without the SDK's handshake.
export async function requests(projectId) {
  const reply = await fetch(`${baseUrl}/_emulator/requests`);
  const all = await reply.json();
  return all.filter((r) => r.project === projectId && r.path !== '/v1/mgmt/license');
}

// data returns what a call gave, or fails with the error of the reply.
export async function data(call) {
  const reply = await call;
  if (!reply.ok) throw new Error(`${reply.code} ${JSON.stringify(reply.error)}`);
  return reply.data;
}
