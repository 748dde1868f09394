// How long an editor waits for diagnostics after a save, with 1 000 tenants in five
// environments. The budgets are for a quiet machine; what fails is four times as much.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configuration, open } from './session.mjs';

const names = ['dev', 'devtest', 'prod', 'staging', 'test'];
const budgets = { 'the environment in hand': 250, 'all five': 800 }; // milliseconds

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

test('diagnostics come soon after a save', async (t) => {
  let tenants = 'package envs\n\nimport "example.com/identity/schema"\n\n';
  for (let i = 0; i < 1000; i++) {
    tenants += `tenants: "tenant-${i}": schema.#Tenant & {\n\tname: "Tenant ${i}"\n\tdomains: ["t${i}.example.com"]\n\tcustom_attributes: {plan: *"gold" | string, seats: ${i}}\n}\n`;
  }
  const files = { 'envs/tenants.cue': tenants };
  for (const name of names) {
    files[`envs/${name}/${name}.cue`] = `package envs\n\nenvironment: name: "${name}"\n\ntenants: "tenant-5": custom_attributes: plan: "${name}"\n`;
  }
  const s = await open(configuration(files));
  s.open('envs/tenants.cue');
  s.open('envs/dev/dev.cue');
  await s.diagnosed('envs/dev/dev.cue');
  const took = { 'the environment in hand': [], 'all five': [] };
  const measure = async (what, file, from, to, done) => {
    s.replace(file, from, to);
    const began = performance.now();
    s.save(file);
    await s.until(`${what}: ${to}`, done);
    took[what].push(performance.now() - began);
  };
  const told = (file) => s.published.get(file) ?? [];
  for (let round = 0; round < 4; round++) {
    await measure('the environment in hand', 'envs/dev/dev.cue', 'plan: "dev"', 'plam: 1, plan: {}', () => told('envs/dev/dev.cue').length > 0);
    await measure('the environment in hand', 'envs/dev/dev.cue', 'plam: 1, plan: {}', 'plan: "dev"', () => told('envs/dev/dev.cue').length === 0);
    await measure('all five', 'envs/tenants.cue', 'name: "Tenant 7"', 'nam: "Tenant 7"', () => told('envs/tenants.cue').length > 0 && told('envs/tenants.cue').every((d) => !/environments: /.test(d.message)));
    await measure('all five', 'envs/tenants.cue', 'nam: "Tenant 7"', 'name: "Tenant 7"', () => told('envs/tenants.cue').length === 0);
  }
  for (const [what, budget] of Object.entries(budgets)) {
    const ms = Math.round(median(took[what]));
    t.diagnostic(`1 000 tenants, ${what}: ${ms} ms after a save (budget ${budget})`);
    assert.ok(ms < 4 * budget, `${what}: ${ms} ms`);
  }
  assert.equal(await s.close(), 0);
});
