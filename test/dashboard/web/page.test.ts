import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import type { LiveRow } from '../../../dashboard/protocol.ts';
import { describeWith } from '../../setup/tools.ts';
import { seriesList } from './canned.ts';
import { type StandIn, startStandIn } from './stand-in.ts';

const run = promisify(execFile);
const require = createRequire(import.meta.url);
const firstLoadBytesMax = 100_000;
const deviceId = '24e124710c000001';

interface AxeResult {
  violations: { id: string; nodes: { html: string }[] }[];
}

async function buildPage(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fieldgate-page-'));
  const vite = join(require.resolve('vite/package.json'), '../bin/vite.js');
  const config = 'dashboard/web/vite.config.ts';
  const words = ['build', 'dashboard/web', '--config', config, '--outDir', folder];
  await run(process.execPath, [vite, ...words, '--emptyOutDir', '--logLevel', 'warn'], {
    env: { ...process.env, NODE_OPTIONS: '', NODE_ENV: 'production' },
  });
  return folder;
}

/** Chromium's own sandbox does not work for root, as which containers run. */
async function findChromium(): Promise<string> {
  const { stdout } = await run('which', ['chromium']);
  return stdout.trim();
}

function rowOf(quantity: string, value: number): LiveRow {
  const entry = seriesList.find((one) => one[1] === deviceId && one[2] === quantity);
  const now = Date.now();
  return [entry?.[0] ?? -1, now, value, 1, 'mic', now, 999];
}

const historyIsBehind = [
  ['en', 'History is behind (noticed at '],
  ['ru', 'История отстаёт (замечено в '],
  ['az', 'Tarixçə geri qalır (aşkarlanıb: '],
];

/** The kinds of space that typography asks for, as plain ones. */
const plain = (text: string | null) => (text ?? '').replaceAll(/\s+/gu, ' ');

describeWith('chromium', 'The page', () => {
  let folder: string;
  let browser: Browser;
  let axeSource: string;
  let standIn: StandIn;
  let context: BrowserContext;
  let page: Page;
  let requested: string[];
  let complaints: string[];

  beforeAll(async () => {
    folder = await buildPage();
    axeSource = await readFile(require.resolve('axe-core/axe.min.js'), 'utf8');
    browser = await chromium.launch({
      executablePath: await findChromium(),
      args: ['--no-sandbox'],
    });
  }, 90_000);

  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  beforeEach(async () => {
    standIn = await startStandIn(folder);
    requested = [];
    complaints = [];
    context = await browser.newContext({ timezoneId: 'Asia/Baku' });
    page = await context.newPage();
    page.on('request', (request) => requested.push(request.url()));
    page.on('websocket', (socket) => requested.push(socket.url().replace('ws:', 'http:')));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) complaints.push(message.text());
    });
  });

  afterEach(async () => {
    await context.close();
    await standIn.close();
    expect(complaints).toEqual([]);
    expect(requested.filter((address) => !address.startsWith(standIn.origin))).toEqual([]);
  });

  async function open(path: string): Promise<void> {
    await page.goto(`${standIn.origin}/${path}`);
    await page.locator('.status-live').waitFor();
  }

  async function textOf(selector: string): Promise<string> {
    const [text = ''] = await page.locator(selector).first().allInnerTexts();
    return plain(text);
  }

  async function axe(): Promise<string[]> {
    await page.evaluate(axeSource);
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const options = JSON.stringify({ runOnly: tags });
    const result: AxeResult = await page.evaluate(`axe.run(document, ${options})`);
    return result.violations.map((one) => `${one.id}: ${one.nodes[0]?.html ?? ''}`);
  }

  const rowSelector = `[data-device="${deviceId}"]`;

  it('loads in less than its budget, with nothing inline', () => {
    const html = readFileSync(join(folder, 'index.html'), 'utf8');
    const scripts = readdirSync(join(folder, 'assets')).filter((name) => name.endsWith('.js'));
    const bytes = scripts.map(
      (name) => gzipSync(readFileSync(join(folder, 'assets', name))).length,
    );
    expect(bytes.reduce((sum, one) => sum + one, 0)).toBeLessThan(firstLoadBytesMax);
    expect(html).not.toMatch(/<style|style=|<script(?![^>]*src)/u);
  });

  it('shows values, ages and who vouches, and counts who reports', async () => {
    await open('?lang=en');
    const row = await textOf(rowSelector);
    expect(row).toContain('Xətai parkı, hava');
    expect(row).toContain('Air temperature 14.2 °C');
    expect(row).toContain('1 min ago');
    expect(row).toContain('Verified here');
    expect(await textOf('.counts')).toBe('11 of 12 sensors reporting 1 late 1 silent');
    expect(await textOf('.notes')).toContain('Simulated data');
    expect(await textOf('[data-device="24e124710c000007"]')).toContain('Fail');
    expect(await textOf('[data-device="24e124710c000006"]')).toContain('Silent');
    expect(await textOf('[data-device="modem-5g-02"]')).toContain('Parking space vacant');
  });

  it('shows a live value', async () => {
    await open('?lang=en');
    standIn.delta([rowOf('air_temperature', 31.4)]);
    await page.locator(rowSelector, { hasText: '31.4' }).waitFor();
    expect(await textOf(`${rowSelector} .cell-age`)).toMatch(/now|sec ago/u);
  });

  it('sorts by the Azerbaijani alphabet and finds by folded letters', async () => {
    await open('?lang=az');
    const names = await page.locator('.devices tbody th a').allInnerTexts();
    expect(names.slice(0, 9).map((name) => name.split(' ')[0])).toEqual(
      'Böyükşor Çənbərəkənd, Dayanacaq Dayanacaq Əhmədli, Gənclik, Xətai İçərişəhər, Qax'.split(
        ' ',
      ),
    );
    await page.getByRole('searchbox').fill('ehmedli');
    await page.locator('.devices tbody tr').nth(1).waitFor({ state: 'detached' });
    expect(await textOf('.devices tbody th a')).toBe('Əhmədli, hava');
  });

  it('writes Azerbaijani as people do, not as Chromium does', async () => {
    await open(`?lang=az#/device/${deviceId}`);
    await page.locator('.chart').first().waitFor();
    await page.locator('.chart-table button').first().click();
    const text = await textOf('body');
    expect(text).not.toMatch(/\bM\d\d\b|\b[AP]M\b| ago\b/u);
    expect(text).toContain('14,2 °C');
    expect(text).toMatch(/\d+ noyabr 20\d\d|\d+ [a-zəıüö]+ 20\d\d, \d\d:\d\d/u);
    expect(await page.locator('html').getAttribute('lang')).toBe('az');
  });

  it('writes units in the script of the language, and keeps their codes in reach', async () => {
    await open(`?lang=ru#/device/${deviceId}`);
    const value = page.locator('.last-values tr', { hasText: 'PM2,5' });
    expect(plain(await value.locator('.value').textContent())).toBe('18,4 мкг/м³');
    expect(await value.locator('.unit').getAttribute('title')).toBe('UCUM: ug/m3');
    const chart = page.locator('.chart', { hasText: 'PM2,5' });
    await chart.getByRole('button', { name: 'Показать таблицей' }).click();
    await chart.getByRole('columnheader', { name: 'Значение UCUM: ug/m3' }).waitFor();
  });

  it('changes the language and remembers it', async () => {
    await open('?lang=en');
    await page.getByRole('button', { name: 'RU' }).click();
    await page.getByRole('heading', { name: 'Датчики' }).waitFor();
    await open('');
    expect(await textOf('h1')).toBe('Датчики');
  });

  it('changes nothing while paused and jumps to the present afterwards', async () => {
    await open('?lang=en');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.locator('.status-paused').waitFor();
    await page.evaluate(`
      window.mutations = 0;
      const observer = new MutationObserver((list) => { window.mutations += list.length; });
      const all = { subtree: true, childList: true, characterData: true, attributes: true };
      observer.observe(document.body, all);
    `);
    standIn.delta([rowOf('air_temperature', 27.5)]);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(await page.evaluate('window.mutations')).toBe(0);
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.locator('.status-live').waitFor();
    standIn.delta([rowOf('air_temperature', 28.5)]);
    await page.locator(rowSelector, { hasText: '28.5' }).waitFor();
  });

  it('says that it is not live when the socket is lost, and nothing looks fresh', async () => {
    await open('?lang=en');
    standIn.acceptSockets(false);
    standIn.killSockets();
    await page.locator('.status-down').waitFor();
    expect(await textOf('.live')).toMatch(/^Not live since \d\d:\d\d — reconnecting$/u);
    expect(await page.locator('.state-fresh').count()).toBe(0);
    const age = page.locator('[data-device="24e124710c000009"] .cell-age');
    const before = await age.textContent();
    await age.filter({ hasNotText: before ?? '' }).waitFor();
    expect(await textOf('.warning')).toBe(
      'What is shown is the last that arrived; newer values cannot be seen. ' +
        'The page keeps trying by itself.',
    );
    standIn.acceptSockets(true);
    await page.locator('.status-live').waitFor();
    expect(await page.locator('.warning').count()).toBe(0);
  });

  describe('while the store is behind', () => {
    it.each(historyIsBehind)(
      'says in %s that history is behind, until the store is back',
      async (language, words) => {
        await open(`?lang=${language}`);
        expect(await page.locator('.warning').count()).toBe(0);
        standIn.heartbeat('late');
        await page.locator('.warning', { hasText: words }).waitFor();
        expect(await page.locator('.status-live').count()).toBe(1);
        expect(await axe()).toEqual([]);
        standIn.delta([rowOf('air_temperature', 31.4)]);
        await page.locator(rowSelector, { hasText: /31[.,]4/u }).waitFor();
        standIn.heartbeat('ok');
        await page.locator('.warning').waitFor({ state: 'detached' });
      },
    );

    it('tells screen readers politely that history is behind', async () => {
      await open('?lang=en');
      standIn.heartbeat('late');
      await page.getByRole('status').filter({ hasText: 'History is behind' }).waitFor();
    }, 60_000);

    it('draws the day once the store is back', async () => {
      await open('?lang=en');
      standIn.heartbeat('late');
      await page.locator('.warning').waitFor();
      await page.locator(`${rowSelector} th a`).click();
      await page.getByText('The gateway did not fulfil this request').waitFor();
      standIn.heartbeat('ok');
      await page.locator('.chart').first().waitFor();
      expect(await page.getByText('The gateway did not fulfil this request').count()).toBe(0);
    });
  });

  it('says on paper of which moment it is, and leaves out what only a screen can use', async () => {
    await open(`?lang=en#/device/${deviceId}`);
    await page.locator('.chart').first().waitFor();
    expect(await page.getByText('As the page stood on').isVisible()).toBe(false);
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    expect(await page.getByText('As the page stood on').isVisible()).toBe(true);
    expect(await page.locator('.button:visible').count()).toBe(0);
    const ground = "getComputedStyle(document.documentElement).getPropertyValue('--panel')";
    expect(await page.evaluate(ground)).toContain('#fff');
  });

  it('draws a day with its gap, and gives the same as text and as a table', async () => {
    await open(`?lang=en#/device/${deviceId}`);
    const chart = page.locator('.chart').first();
    const label = plain(await chart.getByRole('img').getAttribute('aria-label'));
    expect(label).toContain('Air temperature, last 24 hours. 121 values. Last 14.2 °C at');
    expect(label).toContain('1 gap, 3 hrs in all. 1 suspect value (◇). 1 failed value (×)');
    expect(label).toContain('1 missing value (○), left out of the figures.');
    await chart.getByRole('button', { name: 'Show as table' }).click();
    expect(await chart.locator('tbody tr').count()).toBe(123);
    await chart.locator('tbody tr', { hasText: 'Fail' }).filter({ hasText: '-99 °C' }).waitFor();
  });

  it('moves the chart’s cursor by keyboard and says the value', async () => {
    await open(`?lang=en#/device/${deviceId}`);
    const cursor = page.getByRole('slider').first();
    await cursor.focus();
    const said = async () => plain(await cursor.getAttribute('aria-valuetext'));
    const last = await said();
    await page.keyboard.press('ArrowLeft');
    const before = await said();
    expect(before).toMatch(/^14\.5 °C · \d\d:\d\d$/u);
    expect(await textOf('.readout')).toBe(before);
    await page.keyboard.press('Escape');
    expect(await said()).toBe(last);
  });

  describe('of an empty gateway', () => {
    it('says where an empty gateway listens, and how to send to it', async () => {
      standIn.beEmpty({ mayMakeAccounts: true });
      await open('?lang=en');
      await page.getByRole('heading', { name: 'The first uplink' }).waitFor();
      const text = await textOf('.first-uplink');
      expect(text).toContain('HTTP: 127.0.0.1:8080 MQTT: 127.0.0.1:1884');
      expect(text).toContain('mosquitto_pub -h 127.0.0.1 -p 1884 -u first-modem');
      expect(text).toContain(`${standIn.origin}/api/v1/credentials`);
      expect(await axe()).toEqual([]);
    });

    it.each(['az', 'ru', 'en'])('fits what an empty gateway says in %s', async (language) => {
      standIn.beEmpty({ mayMakeAccounts: false });
      await page.setViewportSize({ width: 320, height: 700 });
      await open(`?lang=${language}`);
      await page.locator('.first-uplink').waitFor();
      expect(await page.getByText('/api/v1/credentials').count()).toBe(0);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320);
    });
  });

  it('asks for a token without a session, and lets a good one in', async () => {
    standIn.requireSession(true);
    await page.goto(`${standIn.origin}/?lang=en`);
    await page.getByLabel('Token').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('This token is not valid').waitFor();
    expect(await axe()).toEqual([]);
    await page.getByLabel('Token').fill('stand-in-token');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.locator(rowSelector).waitFor();
  });

  it('fits 320 pixels and text of double size without sideways scrolling', async () => {
    await page.setViewportSize({ width: 320, height: 700 });
    for (const path of ['?lang=az', `?lang=ru#/device/${deviceId}`]) {
      await open(path);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320);
    }
    await page.setViewportSize({ width: 640, height: 700 });
    await page.evaluate("document.documentElement.style.fontSize = '200%'");
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(640);
  });

  it.each(['az', 'ru', 'en'])(
    'has no finding of axe in %s, light and dark',
    async (language) => {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await open(`?lang=${language}`);
        expect(await axe()).toEqual([]);
        await open(`?lang=${language}#/device/${deviceId}`);
        await page.locator('.chart').first().waitFor();
        if (language === 'az') await page.locator('.chart-table button').first().click();
        expect(await axe()).toEqual([]);
      }
    },
    60_000,
  );

  it('has no finding of axe while it is not live, and with forced colours', async () => {
    await page.emulateMedia({ forcedColors: 'active' });
    await open('?lang=en');
    expect(await axe()).toEqual([]);
    await page.emulateMedia({ forcedColors: 'none' });
    standIn.acceptSockets(false);
    standIn.killSockets();
    await page.locator('.status-down').waitFor();
    expect(await axe()).toEqual([]);
  });
});
