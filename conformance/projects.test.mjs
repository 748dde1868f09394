import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import DescopeClient from '@descope/node-sdk';
import { data, project } from './emulator.mjs';

test('a project is renamed, tagged, listed and deleted', async () => {
  const { projectId, management } = await project();
  assert.deepEqual(await data(management.project.updateName('Development')), {});
  assert.deepEqual(await data(management.project.updateTags(['team', 'eu'])), {});
  const listed = (await data(management.project.listProjects())).find((p) => p.id === projectId);
  assert.deepEqual([listed.name, listed.tags, listed.environment], ['Development', ['team', 'eu'], '']);
  await data(management.project.updateTags([]));
  const other = (await project()).management; // the last project cannot be deleted
  await data(other.tenant.create('Other'));
  assert.deepEqual(await data(management.project.delete()), {});
  const gone = await management.tenant.loadAll();
  assert.deepEqual([gone.ok, gone.error.errorCode], [false, 'E011008']);
  assert.equal((await data(other.project.listProjects())).find((p) => p.id === projectId), undefined);
});

test('a key that is limited to projects may not list them', async () => {
  const { management } = await project({ managementKey: 'K2conformance-limited' });
  const refused = await management.project.listProjects();
  assert.deepEqual([refused.ok, refused.code], [false, 403]);
});

test('the free plan has no clones', async () => {
  const { management } = await project();
  const reply = await management.project.clone('Copy');
  assert.deepEqual([reply.ok, reply.code, reply.error.errorCode], [false, 403, 'E111703']);
});

// A second emulator, of a plan that has clones and snapshots. It is started by the
// shell command DESCOPE_PAID_EMULATOR_CMD, or is at DESCOPE_PAID_EMULATOR_URL.
const paidUrl = process.env.DESCOPE_PAID_EMULATOR_URL ?? (await startPaid());

async function startPaid() {
  const binary = process.env.DESCOPE_MGMT_BIN;
  const command = process.env.DESCOPE_PAID_EMULATOR_CMD ?? (binary && '"$DESCOPE_MGMT_BIN" emulator --listen 127.0.0.1:0 --tier tier2');
  if (!command) return undefined;
  const child = spawn(command, { shell: true, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  after(() => {
    try {
      process.kill(-child.pid);
    } catch {
      // It has ended by itself.
    }
  });
  for await (const line of createInterface({ input: child.stdout })) {
    child.stdout.resume();
    child.stdout.unref();
    child.unref();
    return /^listening on (\S+)$/.exec(line)[1];
  }
  return undefined;
}

const skip = paidUrl ? false : 'set DESCOPE_PAID_EMULATOR_URL, DESCOPE_PAID_EMULATOR_CMD or DESCOPE_MGMT_BIN';
const paid = (projectId) => DescopeClient({ projectId, managementKey: 'K2conformance', baseUrl: paidUrl }).management;

test('a clone has the flows and no tenants', { skip }, async () => {
  const source = paid('P2paidsource');
  await data(source.tenant.createWithId('acme', 'Acme'));
  const dsl = { startTask: '0', tasks: {} };
  await data(source.flow.import('sign-in', { name: 'Sign in', dsl }, []));
  const made = await data(source.project.clone('Copy', 'production', ['x']));
  assert.deepEqual([made.projectName, made.environment, made.tags], ['Copy', 'production', ['x']]);
  const copy = paid(made.projectId);
  assert.deepEqual((await data(copy.flow.list())).flows.map((f) => f.id), ['sign-in']);
  assert.deepEqual(await data(copy.tenant.loadAll()), []);
  assert.ok((await data(source.project.listProjects())).some((p) => p.id === made.projectId));
});

test('a snapshot is exported, validated and imported', { skip }, async () => {
  const source = paid('P2snapshotsource');
  await data(source.flow.import('sign-in', { name: 'Sign in', dsl: { startTask: '0', tasks: {} } }, []));
  const { files } = await data(source.project.exportSnapshot());
  assert.deepEqual(files['snapshot.json'], { version: 5 });
  assert.deepEqual(files['flows/flows.json'], { flows: ['sign-in'] });

  const target = paid('P2snapshottarget');
  const connector = { id: 'CI1', name: 'Mail', type: 'smtp', description: '', configuration: { host: 'h', password: '' } };
  const more = { ...files, 'connectors/connectors.json': { connectors: ['mail'] }, 'connectors/mail.json': connector };
  const report = await data(target.project.validateSnapshot({ files: more }));
  assert.deepEqual(report.missingSecrets.connectors, [{ id: 'CI1', name: 'Mail', type: 'password', value: '' }]);
  const refused = await target.project.importSnapshot({ files: more });
  assert.equal(refused.ok, false);
  const inputSecrets = { connectors: [{ id: 'CI1', name: 'Mail', type: 'password', value: 's3cret' }] };
  assert.deepEqual(await data(target.project.importSnapshot({ files: more, inputSecrets })), {});
  const back = (await data(target.project.exportSnapshot())).files;
  assert.equal(back['connectors/mail.json'].configuration.password, '');
  assert.deepEqual(back['flows/sign-in/contents.json'], files['flows/sign-in/contents.json']);
  await data(target.project.import(back)); // the older spelling
  assert.deepEqual(await data(target.project.export()), back);
  const broken = await data(target.project.validateSnapshot({ files: { 'snapshot.json': { version: 6 } } }));
  assert.equal(broken.ok, false);
  assert.ok(broken.failures.length > 0);
});
