/**
 * Makes sure that the machine has what suites need beyond npm: the real servers and clients they
 * run against, and what a kernel or sandbox may forbid. On Debian as root it installs what is
 * missing; elsewhere it says what is missing, and those suites are listed as skipped. With CI=true
 * a missing tool fails the run; what the machine forbids is said there, too.
 */
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** The program a suite starts, and the Debian package that brings it. */
const tools = [
  { program: 'influxd', debianPackage: 'influxdb' },
  { program: 'mosquitto_pub', debianPackage: 'mosquitto-clients' },
  { program: 'mosquitto', debianPackage: 'mosquitto' },
  { program: 'chromium', debianPackage: 'chromium' },
  { program: 'strace', debianPackage: 'strace' },
  { program: 'pkcs11-tool', debianPackage: 'opensc' },
  { program: 'softhsm2-util', debianPackage: 'softhsm2' },
];

/** What a suite does with the machine that a sandbox may forbid; tried once before all of them. */
const abilities = [
  { name: 'ptrace', sentence: 'following a process with strace (CAP_SYS_PTRACE)', try: tryPtrace },
  { name: 'mount', sentence: 'mounting a tmpfs (root, CAP_SYS_ADMIN)', try: tryMount },
];
/** Tells the workers, which cannot ask this module, what was found. */
const abilitiesVariable = 'FIELDGATE_TEST_ABILITIES';

const aptTimeoutMs = 15 * 60_000;

export default async function prepareMachine() {
  const before = missing();
  if (before.length > 0 && canInstall()) await install(before.map((tool) => tool.debianPackage));
  const names = missing().map(({ program, debianPackage }) => {
    return `${program} (Debian package ${debianPackage})`;
  });
  const possible = abilities.filter((ability) => ability.try());
  process.env[abilitiesVariable] = possible.map(({ name }) => name).join(',');
  const forbidden = abilities.filter((ability) => !possible.includes(ability));
  for (const { sentence } of forbidden) say(`This machine forbids ${sentence}: not tested here.`);
  if (names.length === 0) return;
  const sentence = `Not on this machine: ${names.join(', ')}.`;
  if (process.env.CI === 'true') throw new Error(`${sentence} With CI=true nothing is skipped.`);
  say(`${sentence} The suites that need them are skipped.`);
}

function missing() {
  return tools.filter((tool) => !isOnPath(tool.program));
}

function isOnPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Follows a process that is running already, as the suite does; some sandboxes forbid only that. */
function tryPtrace() {
  const child = spawn('sleep', ['5'], { stdio: 'ignore' });
  const words = ['-f', '-o', '/dev/null', '-p', String(child.pid)];
  const tracer = spawnSync('timeout', ['--signal=INT', '0.5', 'strace', ...words]);
  child.kill('SIGKILL');
  return tracer.status === 124 || tracer.status === 0;
}

function tryMount() {
  const folder = mkdtempSync(join(tmpdir(), 'fieldgate-mount-'));
  const words = ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder];
  const isMounted = spawnSync('mount', words, { stdio: 'ignore' }).status === 0;
  const isFree = !isMounted || spawnSync('umount', [folder], { stdio: 'ignore' }).status === 0;
  if (isFree) rmdirSync(folder);
  return isMounted && isFree;
}

function canInstall() {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version');
}

/** Services of these packages are not ours to stop: suites only talk to instances of their own. */
async function install(packages) {
  say(`Installing ${packages.join(', ')} with apt, once; this may take some minutes.`);
  const done =
    (await apt(['update'])) &&
    (await apt(['install', '-y', '--no-install-recommends', ...packages]));
  say(done ? 'Installed.' : 'apt could not install everything.');
}

/** Resolves to whether apt succeeded; its last words are shown when it did not. */
function apt(words) {
  return new Promise((resolve) => {
    const startedAt = Date.now();
    const child = spawn('apt-get', ['-q', ...words], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const deadline = setTimeout(() => child.kill(), aptTimeoutMs);
    let lastWords = '';
    const listen = (bytes) => {
      lastWords = (lastWords + bytes).slice(-1_000);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    const progress = setInterval(() => {
      const seconds = Math.round((Date.now() - startedAt) / 1_000);
      say(`apt-get ${words[0]}: ${seconds} s`);
    }, 10_000);
    const end = (succeeded) => {
      clearInterval(progress);
      clearTimeout(deadline);
      if (!succeeded) say(`apt-get ${words[0]} failed: ${lastWords.trim()}`);
      resolve(succeeded);
    };
    // A program that cannot be started is closed as well, with a code below zero.
    child.on('error', (error) => {
      lastWords = error.message;
    });
    child.on('close', (code) => end(code === 0));
  });
}

function say(line) {
  process.stderr.write(`${line}\n`);
}
