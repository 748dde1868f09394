import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import lsp from 'vscode-languageserver-protocol/node';
import { configuration, edited, open, run } from './session.mjs';

const files = {
  'envs/tenants.cue': `package envs

import "example.com/identity/schema"

// _home is where the company is.
_home: "acme.com"

tenants: "acme-corp": schema.#Tenant & {
	name: "Acme"
	domains: *[_home] | [...string]
	self_provisioning: true
	custom_attributes: {plan: "gold"}
}

tenants: "widget-inc": schema.#Tenant & {
	name: "Widget"
}
`,
  'envs/dev/dev.cue': `package envs

environment: name: "dev"
`,
  'envs/prod/prod.cue': `package envs

environment: {
	name:      "prod"
	protected: true
}

tenants: "acme-corp": domains: ["acme.com", "acme.net"]
`,
};

// asked is what validate says, in the form of an editor: for each file line, column
// (in UTF-16) and the words.
function asked(root) {
  const { diagnostics } = JSON.parse(run(root, 'validate', '-o', 'json'));
  return diagnostics.map((d) => {
    const line = readFileSync(`${root}/${d.origin.file}`, 'utf8').split('\n')[d.origin.line - 1];
    return {
      file: d.origin.file,
      line: d.origin.line - 1,
      character: Buffer.from(line).subarray(0, d.origin.column - 1).toString().length,
      severity: d.severity === 'error' ? 1 : 2,
      code: d.code,
      message: [d.summary, d.detail, d.hint].filter(Boolean).join('\n'),
    };
  });
}

function told(session) {
  return [...session.published].flatMap(([file, list]) =>
    list.map((d) => ({ file, ...d.range.start, severity: d.severity, code: d.code, message: d.message.replace(/\nenvironments: .*$/, '') })),
  );
}

const sorted = (list) => list.map((x) => JSON.stringify(x, Object.keys(x).sort())).sort();

test('the server says what it can do, for both', async () => {
  const s = await open(configuration(files));
  assert.match(s.serverInfo.name, /descope-mgmt with cuelsp/);
  for (const ability of ['completionProvider', 'hoverProvider', 'definitionProvider', 'referencesProvider', 'renameProvider', 'documentFormattingProvider', 'codeActionProvider', 'codeLensProvider', 'documentLinkProvider']) {
    assert.ok(s.able[ability], ability);
  }
  assert.ok(s.able.textDocumentSync.save);
  assert.ok(s.able.executeCommandProvider.commands.includes('descope-mgmt.plan'));
  assert.equal(await s.close(), 0);
});

test('completion and hover know the schema, definition and references the file', async () => {
  const s = await open(configuration(files));
  s.open('envs/tenants.cue');
  await s.diagnosed('envs/tenants.cue');
  s.type('envs/tenants.cue', { start: s.position('envs/tenants.cue', '\tname: "Widget"'), end: s.position('envs/tenants.cue', '\tname: "Widget"') }, '\t\n');
  const items = await s.ask(lsp.CompletionRequest.type, { ...s.document('envs/tenants.cue'), position: s.position('envs/tenants.cue', '\t\n\tname: "Widget"', 1) });
  const labels = (items.items ?? items).map((i) => i.label.replace(/[?!:]+$/, ''));
  for (const field of ['name', 'domains', 'self_provisioning', 'parent', 'custom_attributes']) assert.ok(labels.includes(field), `${field} in ${labels}`);

  const hover = await s.ask(lsp.HoverRequest.type, s.at('envs/tenants.cue', 'self_provisioning', 2));
  assert.match(JSON.stringify(hover.contents), /self_provisioning/);
  assert.match(JSON.stringify(hover.contents), /domain/i);
  const definition = await s.ask(lsp.DefinitionRequest.type, s.at('envs/tenants.cue', '#Tenant', 2));
  assert.ok([definition].flat().some((l) => s.name(l.uri ?? l.targetUri) === 'schema/tenant.cue'), JSON.stringify(definition));
  const references = await s.ask(lsp.ReferencesRequest.type, { ...s.at('envs/tenants.cue', '_home: ', 1), context: { includeDeclaration: true } });
  assert.equal(references.length, 2);
  assert.equal(await s.close(), 0);
});

test('rename and format', async () => {
  const s = await open(configuration(files));
  const name = 'envs/tenants.cue';
  s.open(name);
  const rename = await s.ask(lsp.RenameRequest.type, { ...s.at(name, '_home: ', 1), newName: '_seat' });
  s.apply(rename);
  assert.match(s.texts.get(name), /_seat: "acme.com"/);
  assert.match(s.texts.get(name), /\*\[_seat\]/);
  s.replace(name, 'name: "Widget"', 'name:     "Widget"');
  const edits = await s.ask(lsp.DocumentFormattingRequest.type, { ...s.document(name), options: { tabSize: 8, insertSpaces: false } });
  const text = edited(s.texts.get(name), edits);
  assert.match(text, /\n\tname: "Widget"\n/);
  s.texts.set(name, text);
  s.save(name);
  assert.equal(run(s.root, 'fmt', '--check', 'envs'), '');
  assert.equal(await s.close(), 0);
});

test('diagnostics are those of validate, and go when the mistake does', async () => {
  const s = await open(
    configuration({
      ...files,
      'envs/dev/dev.cue': `package envs

environment: name: "dev"

// 🦄 two units
tenants: "acme-corp": {name: "Acme 🦄 Dev", selfprovisioning: true, parent: "widget-in"}
tenants: "other": {name: "Widget", domains: ["ACME.com"]}
`,
    }),
  );
  s.open('envs/dev/dev.cue');
  await s.until('diagnostics', () => s.published.get('envs/dev/dev.cue')?.length >= 2);
  const want = asked(s.root);
  assert.ok(want.length >= 3, JSON.stringify(want));
  await s.until('all of them', () => told(s).length === want.length);
  assert.deepEqual(sorted(told(s)), sorted(want));
  const clash = s.published.get('envs/dev/dev.cue').find((d) => d.code === 'needs-default');
  assert.equal(clash.source, 'descope-mgmt');
  assert.equal(s.name(clash.relatedInformation[0].location.uri), 'envs/tenants.cue');

  // While it is typed, before it is saved.
  s.type('envs/dev/dev.cue', { start: s.position('envs/dev/dev.cue', '// '), end: s.position('envs/dev/dev.cue', '"ACME.com"]}\n', 13) }, '');
  await s.diagnosed('envs/dev/dev.cue');
  s.save('envs/dev/dev.cue');
  await s.until('none', () => told(s).length === 0);
  assert.deepEqual(asked(s.root), []);

  // A mistake of CUE itself is told once, by both and only until it is mended.
  s.replace('envs/dev/dev.cue', '"dev"', '"dev" }');
  const [broken] = await s.diagnosed('envs/dev/dev.cue', /syntax error/);
  assert.equal(broken.source, 'descope-mgmt');
  s.replace('envs/dev/dev.cue', '"dev" }', '"dev"');
  await s.diagnosed('envs/dev/dev.cue');
  assert.equal(await s.close(), 0);
});

test('a mistake in the base is told once, with the environments that have it', async () => {
  const s = await open(
    configuration({
      ...files,
      'envs/tenants.cue': files['envs/tenants.cue'].replace('"Widget"', 'string'),
      'envs/staging/staging.cue': 'package envs\n\nenvironment: name: "staging"\ntenants: "widget-inc": name: "W"\n',
    }),
  );
  s.open('envs/tenants.cue');
  const [d] = await s.until('both', () => {
    const list = s.published.get('envs/tenants.cue');
    return list?.length === 1 && /environments: dev, prod$/.test(list[0].message) && list;
  });
  assert.match(d.message, /name has no value/);
  assert.equal(await s.close(), 0);
});

test('quick fixes: did you mean, and a default in the base', async () => {
  const s = await open(
    configuration({
      ...files,
      'envs/dev/dev.cue': `package envs

environment: {name: "dev", protcted: true}
tenants: "acme-corp": {name: "Acme Dev", custom_attributes: plan: "silver"}
`,
    }),
  );
  const name = 'envs/dev/dev.cue';
  s.open(name);
  await s.until('three', () => s.published.get(name)?.length === 3);
  const all = { ...s.document(name), range: { start: { line: 0, character: 0 }, end: { line: 9, character: 0 } } };
  const fixes = await s.ask(lsp.CodeActionRequest.type, { ...all, context: { diagnostics: s.published.get(name) } });
  const ours = fixes.filter((f) => f.kind === 'quickfix');
  assert.deepEqual(ours.map((f) => f.title).sort(), [
    'Change protcted to protected',
    'Make the value of the base a default (envs/tenants.cue)',
    'Make the value of the base a default (envs/tenants.cue)',
  ]);
  assert.deepEqual(await s.ask(lsp.CodeActionRequest.type, { ...all, context: { diagnostics: [], only: ['refactor'] } }).then((l) => l.filter((f) => f.kind === 'quickfix')), []);

  while (told(s).length > 0) {
    const [fix] = (await s.ask(lsp.CodeActionRequest.type, { ...all, context: { diagnostics: [] } })).filter((f) => f.kind === 'quickfix');
    const before = told(s).length;
    s.apply(fix.edit);
    for (const file of s.texts.keys()) s.save(file);
    await s.until('one less', () => told(s).length < before);
  }
  assert.match(s.texts.get('envs/tenants.cue'), /name: {1,}\*"Acme" \| string\n/);
  assert.match(s.texts.get(name), /protected: true/);
  assert.deepEqual(asked(s.root), []);
  assert.match(run(s.root, 'eval', '--env', 'dev', '-o', 'json'), /"Acme Dev"/);
  assert.equal(await s.close(), 0);
});

test('code lenses plan an environment and lead from base to overlay and back', async () => {
  const s = await open(configuration(files), { args: ['--emulator', `--state-dir=${configuration({})}`], env: { DESCOPE_PROJECT_ID: 'P2prodprodprodprodprodprodpr', DESCOPE_MANAGEMENT_KEY: 'K2x' } });
  s.open('envs/prod/prod.cue');
  s.open('envs/tenants.cue');
  const lenses = await s.ask(lsp.CodeLensRequest.type, s.document('envs/prod/prod.cue'));
  assert.deepEqual(lenses.map((l) => l.command.title), ['plan prod', 'base']);
  assert.equal(lenses[0].range.start.line, 2);
  await s.ask(lsp.ExecuteCommandRequest.type, lenses[0].command);
  const summary = await s.until('a plan', () => s.messages.find((m) => m.startsWith('prod: ')), 60_000);
  assert.match(summary, /2 to create/);
  assert.ok(s.logs.some((l) => l.includes('acme-corp')), s.logs.join('\n'));

  await s.ask(lsp.ExecuteCommandRequest.type, lenses[1].command);
  const shown = await s.until('the base', () => s.shown[0]);
  assert.equal(s.name(shown.uri), 'envs/tenants.cue');
  assert.equal(shown.selection.start.line, s.position('envs/tenants.cue', '"acme-corp"').line);

  const back = await s.ask(lsp.CodeLensRequest.type, s.document('envs/tenants.cue'));
  assert.deepEqual(back.map((l) => l.command.title), ['changed in prod']);
  const links = await s.ask(lsp.DocumentLinkRequest.type, s.document('envs/prod/prod.cue'));
  assert.equal(links.length, 1);
  assert.deepEqual(links[0].range, s.range('envs/prod/prod.cue', '"acme-corp"'));
  assert.equal(links[0].target, `${s.uri('envs/tenants.cue')}#8,10`);
  await assert.rejects(s.ask(lsp.ExecuteCommandRequest.type, { command: 'descope-mgmt.nothing' }), /descope-mgmt.nothing/);
  assert.equal(await s.close(), 0);
});

test('without a copy of the schema the user is told how to make one, once', async () => {
  const s = await open(configuration({ ...files, 'envs/tenants.cue': files['envs/tenants.cue'].replace('"acme-corp"', '"acme"') }, { schema: false }));
  s.open('envs/tenants.cue');
  await s.until('a message', () => s.messages.some((m) => m.includes('descope-mgmt schema sync')));
  s.save('envs/tenants.cue');
  s.open('envs/dev/dev.cue');
  await s.diagnosed('envs/dev/dev.cue');
  assert.equal(s.messages.filter((m) => m.includes('schema sync')).length, 1);
  assert.equal(await s.close(), 0);
});

test('an editor that goes away, and exit without shutdown', async () => {
  const gone = await open(configuration(files), { capabilities: { workspace: {} } }); // it is asked nothing
  gone.child.stdin.end();
  assert.equal(await gone.ended, 1);
  const rude = await open(configuration(files));
  rude.tell(lsp.ExitNotification.type);
  assert.equal(await rude.ended, 1);
});
