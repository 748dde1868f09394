// A session of an editor with "descope-mgmt lsp", driven by the client that VS Code is
// made of, on a configuration of its own. DESCOPE_MGMT_BIN is the binary.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import rpc from 'vscode-jsonrpc/node';
import lsp from 'vscode-languageserver-protocol/node';

const binary = process.env.DESCOPE_MGMT_BIN;
if (!binary) throw new Error('set DESCOPE_MGMT_BIN');

// configuration makes a directory with these files and a copy of the schema.
export function configuration(files, { schema = true } = {}) {
  const root = join(realpathSync(mkdtempSync(join(tmpdir(), 'lsp '))), 'my módule'); // awkward on purpose
  after(() => rmSync(dirname(root), { recursive: true, force: true }));
  files = { 'cue.mod/module.cue': 'module: "example.com/identity@v0"\nlanguage: version: "v0.17.0"\n', ...files };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  if (schema) run(root, 'schema', 'sync');
  return root;
}

// run runs the tool in a directory and gives what it prints, whatever its exit code.
export function run(root, ...args) {
  try {
    return execFileSync(binary, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (e) {
    if (e.status === null) throw e;
    return e.stdout;
  }
}

// open starts a server and opens a session for a configuration.
export async function open(root, { args = [], env = {}, capabilities = {} } = {}) {
  const child = spawn(binary, ['lsp', ...args], { cwd: tmpdir(), env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  const session = new Session(root, child);
  after(() => child.kill('SIGKILL'));
  const { capabilities: able, serverInfo } = await session.ask(lsp.InitializeRequest.type, {
    processId: process.pid,
    rootUri: pathToFileURL(root).href,
    workspaceFolders: [{ uri: pathToFileURL(root).href, name: 'it' }],
    capabilities: {
      textDocument: {
        publishDiagnostics: { relatedInformation: true },
        codeAction: { codeActionLiteralSupport: { codeActionKind: { valueSet: ['quickfix', 'source'] } } },
        hover: { contentFormat: ['markdown'] },
        rename: { prepareSupport: true },
        synchronization: { didSave: true },
      },
      window: { showDocument: { support: true } },
      workspace: { workspaceEdit: { documentChanges: true }, didChangeWatchedFiles: { dynamicRegistration: true }, configuration: true },
      ...capabilities,
    },
  });
  Object.assign(session, { able, serverInfo });
  await session.tell(lsp.InitializedNotification.type, {});
  return session;
}

class Session {
  constructor(root, child) {
    Object.assign(this, { root, child, published: new Map(), versions: new Map(), texts: new Map(), messages: [], logs: [], shown: [], stderr: '', waiting: new Set() });
    this.ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
    child.stderr.on('data', (text) => (this.stderr += text));
    this.connection = rpc.createMessageConnection(new rpc.StreamMessageReader(child.stdout), new rpc.StreamMessageWriter(child.stdin));
    const { connection } = this;
    connection.onNotification(lsp.PublishDiagnosticsNotification.type, ({ uri, diagnostics }) => {
      this.published.set(this.name(uri), diagnostics);
      this.happened();
    });
    connection.onNotification(lsp.ShowMessageNotification.type, (m) => (this.messages.push(m.message), this.happened()));
    connection.onNotification(lsp.LogMessageNotification.type, (m) => (this.logs.push(m.message), this.happened()));
    connection.onRequest(lsp.ShowDocumentRequest.type, (d) => (this.shown.push(d), this.happened(), { success: true }));
    connection.onRequest(lsp.RegistrationRequest.type, () => null);
    connection.onRequest(lsp.UnregistrationRequest.type, () => null);
    connection.onRequest(lsp.ConfigurationRequest.type, ({ items }) => items.map(() => ({})));
    connection.onRequest(lsp.WorkspaceFoldersRequest.type, () => [{ uri: pathToFileURL(root).href, name: 'it' }]);
    connection.onError(() => {});
    connection.listen();
  }

  ask(type, params) {
    return this.connection.sendRequest(type, params);
  }

  tell(type, params) {
    return this.connection.sendNotification(type, params);
  }

  path(name) {
    return join(this.root, name);
  }

  uri(name) {
    return pathToFileURL(this.path(name)).href;
  }

  // name is a file of the configuration by its address.
  name(uri) {
    const path = fileURLToPath(uri);
    return path.startsWith(this.root) ? path.slice(this.root.length + 1).replaceAll('\\', '/') : path;
  }

  document(name) {
    return { textDocument: { uri: this.uri(name) } };
  }

  open(name) {
    const text = readFileSync(this.path(name), 'utf8');
    this.texts.set(name, text);
    this.versions.set(name, 1);
    this.tell(lsp.DidOpenTextDocumentNotification.type, { textDocument: { uri: this.uri(name), languageId: 'cue', version: 1, text } });
  }

  // type puts text in the place of a range, as a keystroke does.
  type(name, range, text) {
    const version = this.versions.get(name) + 1;
    this.versions.set(name, version);
    this.texts.set(name, edited(this.texts.get(name), [{ range, newText: text }]));
    this.tell(lsp.DidChangeTextDocumentNotification.type, { textDocument: { uri: this.uri(name), version }, contentChanges: [{ range, text }] });
  }

  // replace types one text in the place of another.
  replace(name, before, after) {
    this.type(name, this.range(name, before), after);
  }

  // apply makes the edits of an editor's action in what is open.
  apply({ changes, documentChanges }) {
    for (const { textDocument, edits } of documentChanges ?? Object.entries(changes).map(([uri, edits]) => ({ textDocument: { uri }, edits }))) {
      const name = this.name(textDocument.uri);
      if (!this.texts.has(name)) this.open(name);
      for (const edit of [...edits].sort((a, b) => b.range.start.line - a.range.start.line || b.range.start.character - a.range.start.character)) {
        this.type(name, edit.range, edit.newText);
      }
    }
  }

  save(name) {
    writeFileSync(this.path(name), this.texts.get(name));
    this.tell(lsp.DidSaveTextDocumentNotification.type, this.document(name));
  }

  // position is where a text begins in a file, or `into` characters behind that.
  position(name, text, into = 0) {
    const all = this.texts.get(name);
    const at = all.indexOf(text);
    assert.notEqual(at, -1, `${name} has no ${text}`);
    const before = all.slice(0, at + into).split('\n');
    return { line: before.length - 1, character: before.at(-1).length };
  }

  range(name, text) {
    return { start: this.position(name, text), end: this.position(name, text, text.length) };
  }

  at(name, text, into = 0) {
    return { ...this.document(name), position: this.position(name, text, into) };
  }

  // until waits for a condition on what the server has sent.
  until(what, condition, atMost = 20_000) {
    return new Promise((resolve, reject) => {
      const check = () => {
        const result = condition();
        if (!result) return;
        this.waiting.delete(check);
        clearTimeout(timer);
        resolve(result);
      };
      const timer = setTimeout(() => {
        this.waiting.delete(check);
        reject(new Error(`never: ${what}\n${JSON.stringify([...this.published], null, 1)}\n${this.messages.join('\n')}\n${this.stderr}`));
      }, atMost);
      this.waiting.add(check);
      check();
    });
  }

  happened() {
    for (const check of [...this.waiting]) check();
  }

  // diagnosed waits until a file has diagnostics that match, all of them in order.
  diagnosed(name, ...patterns) {
    return this.until(`${name}: ${patterns.join(', ')}`, () => {
      const found = this.published.get(name);
      return found && found.length === patterns.length && found.every((d, i) => patterns[i].test(d.message)) && found;
    });
  }

  async close() {
    await this.ask(lsp.ShutdownRequest.type);
    this.tell(lsp.ExitNotification.type);
    return this.ended;
  }
}

// edited is a text after edits that do not overlap.
export function edited(text, edits) {
  const starts = [0];
  for (let i = 0; i < text.length; i++) if (text[i] === '\n') starts.push(i + 1);
  const offset = ({ line, character }) => Math.min(starts[line] + character, text.length);
  for (const { range, newText } of [...edits].sort((a, b) => offset(b.range.start) - offset(a.range.start))) {
    text = text.slice(0, offset(range.start)) + newText + text.slice(offset(range.end));
  }
  return text;
}
