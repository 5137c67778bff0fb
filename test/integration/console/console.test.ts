import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ending } from '../../../src/base/ending.ts';
import { CALLER, ConsoleStage } from '../../support/console/console-stage.ts';

let stage: ConsoleStage;
beforeAll(async () => {
  stage = await ConsoleStage.start();
});
afterAll(() => stage.close());

const page = () => stage.browser.page;
const go = (name: string) => page().getByRole('link', { name, exact: true }).click();
const sees = (text: string | RegExp) => page().getByText(text).first().waitFor();

describe('the log-in', () => {
  it('says what is wrong with a key, and lets nobody in with it', async () => {
    await stage.logIn('tl.acme.key_x.nothing');
    await page().getByRole('alert').waitFor();
    expect(await page().getByRole('alert').textContent()).toContain('API key');
    expect(await page().getByRole('navigation').count()).toBe(0);
  });

  it('keeps the key for this tab, until somebody leaves', async () => {
    await stage.logIn();
    await page().getByRole('navigation').waitFor();
    await page().reload();
    await page().getByRole('navigation').waitFor();
    expect(await page().evaluate(() => Object.keys(localStorage))).toEqual([]);
    await page().getByRole('button', { name: 'Leave' }).click();
    await page().getByLabel('API key').waitFor();
    await stage.logIn();
    await page().getByRole('navigation').waitFor();
  });
});

describe('the console', () => {
  it('shows calls as they are spoken, and lets them go when they end', async () => {
    const { journal } = stage.api;
    await go('On the line');
    await sees('Nobody is on the line.');
    const origin = { tenant: 'acme', sipCallId: 's', trunk: 't', to: '+15550100', profile: 'clinic' };
    journal.open({ ...origin, callId: 'live_1', from: '+15550177' });
    journal.open({ ...origin, callId: 'live_2', from: '+15550188', tenant: 'other' });
    await sees('+15550177');
    const say = (text: string, final: boolean): void =>
      journal.caption('live_1', { who: 'visitor', text, final, utteranceId: 'u1' });
    say('I would', false);
    await sees(/: I would$/);
    say('I would like to book', true);
    journal.add('live_1', { type: 'answered' });
    await sees(/: I would like to book$/);
    await sees('Answered');
    expect(
      await page()
        .getByText(/: I would$/)
        .count(),
    ).toBe(0);
    expect(await page().getByText('+15550188').count()).toBe(0);
    journal.close('live_1', ending('caller-hung-up'));
    await sees('Nobody is on the line.');
  });

  it('tells a call on one line of time: words, tools, and what became of it', async () => {
    await go('Calls');
    await sees('Agent hung up');
    await page().locator('tbody a').first().click();
    await sees('I would like an appointment tomorrow at ten');
    const moments = await page().locator('.timeline li').all();
    const kinds = await Promise.all(moments.map((moment) => moment.getAttribute('class')));
    expect(kinds).toEqual(['event', 'event', 'agent', 'caller', 'tool', 'agent']);
    await sees(/answered after 640 ms/);
    await page().locator('summary').click();
    await sees(/"confirmation": "KT482"/);
    await sees('2026-11-27 at 10:00, Emily Wilson');
    await sees(/Your appointment: 27 November/);
    const jobs = await page().getByRole('region', { name: 'Jobs' }).getByRole('listitem').allTextContents();
    expect(jobs).toEqual([
      expect.stringMatching(/^CRM done \d/),
      expect.stringMatching(/^SMS put off try 2 of 10PROVIDER_FAILED: 500$/),
    ]);
    expect(await page().title()).toContain('Trunkline');
  });

  it('shows contacts with what happened, messages, and appointments', async () => {
    await go('Contacts');
    await page().getByRole('link', { name: 'Emily Wilson' }).click();
    await sees('Booked an appointment');
    await go('Messages');
    await sees('Delivered');
    await sees(CALLER);
    await go('Appointments');
    await sees('KT482');
  });

  it('gives a job that was given up back to its queue', async () => {
    await go('Queues');
    await sees('The CRM says 401');
    await page().getByRole('button', { name: 'Replay' }).click();
    await sees('No job was given up.');
    expect(stage.api.replayed.map((letter) => letter.job_key)).toEqual(['job-1']);
  });

  it('says so when the gateway cannot do it now, and goes on when it can', async () => {
    stage.api.queuesFail = new Error('away');
    await go('Calls');
    await page().reload();
    await go('Queues');
    await page().getByRole('alert').waitFor();
    stage.api.queuesFail = undefined;
    await page().getByRole('button', { name: 'Try again' }).click();
    await sees('Transcripts');
  });

  it('complains of nothing but what was refused', () => {
    const unexpected = stage.browser.complaints.filter((one) => !/status of (401|500)/.test(one));
    expect(unexpected).toEqual([]);
  });
});
