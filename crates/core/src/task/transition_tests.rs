use proptest::prelude::*;

use super::*;

fn step(after: &[usize]) -> StepLife {
    StepLife {
        state: if after.is_empty() { StepState::Ready } else { StepState::Blocked },
        attempt: 0,
        losses: 0,
        fence: 0,
        progress: 0,
        is_gate: false,
        after: after.to_vec(),
        failure: None,
    }
}

fn gate() -> StepLife {
    StepLife { is_gate: true, ..step(&[]) }
}

fn life(steps: Vec<StepLife>) -> Life {
    Life { state: TaskState::Waiting, aborted: false, failure: None, steps }
}

fn failure() -> Failure {
    Failure { code: 70_000, word: "InternalError".to_owned(), message: "x".to_owned() }
}

fn after(mut life: Life, events: &[Event]) -> (Life, Vec<Effect>) {
    let mut last = Vec::new();
    for event in events {
        (life, last) = transition(&life, event, &Rules::default()).expect("allowed");
    }
    (life, last)
}

fn states(life: &Life) -> Vec<StepState> {
    life.steps.iter().map(|step| step.state).collect()
}

fn failed(step: usize, fence: i64, retry: Retry) -> Event {
    Event::Failed { step, fence, failure: failure(), retry }
}

use StepState::{Blocked, Cancelled, Delayed, Failed, Ready, Running, Succeeded};

#[test]
fn a_claim_begins_the_task_once() {
    let (begun, effects) = after(life(vec![step(&[]), step(&[])]), &[Event::Claimed { step: 0 }]);
    assert_eq!((begun.state, effects), (TaskState::Processing, vec![Effect::Began]));
    let (_, effects) = after(begun, &[Event::Claimed { step: 1 }]);
    assert_eq!(effects, vec![]);
}

#[test]
fn success_wakes_the_steps_that_waited_for_it() {
    let fork = life(vec![gate(), step(&[0]), step(&[0]), step(&[1, 2])]);
    let (fork, effects) = after(fork, &[Event::Claimed { step: 0 }, Event::Succeeded { step: 0, fence: 1 }]);
    assert_eq!(states(&fork), [Succeeded, Ready, Ready, Blocked]);
    let expected = [Effect::Publish { step: 0 }, Effect::StepEnded { step: 0 }];
    assert_eq!(
        effects,
        [expected.as_slice(), &[Effect::Wake { step: 1 }, Effect::Wake { step: 2 }]].concat()
    );
}

#[test]
fn the_last_step_ends_the_task() {
    let events = [Event::Claimed { step: 0 }, Event::Succeeded { step: 0, fence: 1 }];
    let (ended, effects) = after(life(vec![step(&[])]), &events);
    assert_eq!(ended.state, TaskState::Finished);
    assert_eq!(effects.last(), Some(&Effect::Finished));
}

#[test]
fn a_failed_gate_fails_the_task_and_cancels_what_waits() {
    let fork = life(vec![gate(), step(&[0]), step(&[])]);
    let (ended, effects) = after(fork, &[Event::Claimed { step: 0 }, failed(0, 1, Retry::Never)]);
    assert_eq!(states(&ended), [Failed, Cancelled, Cancelled]);
    assert_eq!((ended.state, ended.failure), (TaskState::Finished, Some(failure())));
    assert_eq!(effects.last(), Some(&Effect::Finished));
}

#[test]
fn a_failed_task_takes_nothing_up_again() {
    let both = life(vec![gate(), step(&[])]);
    let claims = [Event::Claimed { step: 0 }, Event::Claimed { step: 1 }, failed(0, 1, Retry::Never)];
    let (left, _) = after(both, &claims);
    assert_eq!((states(&left), left.state), (vec![Failed, Running], TaskState::Processing));
    for event in [failed(1, 1, Retry::Later), Event::LeaseExpired { step: 1, fence: 1 }] {
        let (ended, _) = after(left.clone(), &[event]);
        assert_eq!((states(&ended), ended.state), (vec![Failed, Cancelled], TaskState::Finished));
    }
}

#[test]
fn one_failed_step_takes_only_its_followers_along() {
    let steps = life(vec![step(&[]), step(&[0]), step(&[1]), step(&[])]);
    let (left, _) = after(steps, &[Event::Claimed { step: 0 }, failed(0, 1, Retry::Never)]);
    assert_eq!(states(&left), [Failed, Cancelled, Cancelled, Ready]);
    assert_eq!((left.state, left.failure), (TaskState::Processing, None));
}

#[test]
fn a_passing_failure_is_tried_again_with_growing_waits_until_given_up() {
    let mut now = life(vec![step(&[])]);
    for (attempt, wait_ms) in (1..5).zip([1_000, 2_000, 4_000, 8_000]) {
        let fence = 2 * attempt - 1;
        let (delayed, effects) = after(now, &[Event::Claimed { step: 0 }, failed(0, fence, Retry::Later)]);
        assert_eq!(states(&delayed), [Delayed]);
        assert_eq!(effects, [Effect::Delay { step: 0, wait_ms }]);
        (now, _) = after(delayed, &[Event::Due { step: 0 }]);
    }
    let (ended, _) = after(now, &[Event::Claimed { step: 0 }, failed(0, 9, Retry::Later)]);
    assert_eq!((states(&ended), ended.state), (vec![Failed], TaskState::Finished));
}

#[test]
fn the_place_of_failure_can_say_when() {
    let (_, effects) =
        after(life(vec![step(&[])]), &[Event::Claimed { step: 0 }, failed(0, 1, Retry::AfterMs(77_000))]);
    assert_eq!(effects, [Effect::Delay { step: 0, wait_ms: 77_000 }]);
}

#[test]
fn waits_do_not_overflow() {
    let rules = Rules::default();
    assert_eq!(rules.wait_ms(0), rules.first_wait_ms);
    assert_eq!(rules.wait_ms(i32::MAX), rules.longest_wait_ms);
}

#[test]
fn a_lost_lease_is_no_failed_attempt_but_not_forgiven_for_ever() {
    let rules = Rules { max_losses: 2, ..Rules::default() };
    let start = life(vec![step(&[])]);
    let (claimed, _) = transition(&start, &Event::Claimed { step: 0 }, &rules).expect("claimed");
    let (back, _) =
        transition(&claimed, &Event::LeaseExpired { step: 0, fence: 1 }, &rules).expect("expired");
    assert_eq!(states(&back), [Ready]);
    let (claimed, _) = transition(&back, &Event::Claimed { step: 0 }, &rules).expect("claimed");
    let lost = Event::LeaseExpired { step: 0, fence: 3 };
    let (ended, _) = transition(&claimed, &lost, &rules).expect("expired");
    assert_eq!((states(&ended), ended.steps[0].failure.clone()), (vec![Failed], Some(Failure::lost())));
}

#[test]
fn a_step_handed_back_has_not_been_tried() {
    let events = [Event::Claimed { step: 0 }, Event::HandedBack { step: 0, fence: 1 }];
    let (back, effects) = after(life(vec![step(&[])]), &events);
    assert_eq!((states(&back), back.steps[0].attempt, back.steps[0].fence), (vec![Ready], 0, 2));
    assert_eq!(effects, [Effect::Wake { step: 0 }]);
}

#[test]
fn only_a_waiting_task_can_be_aborted() {
    let waiting = life(vec![step(&[]), step(&[0])]);
    let (aborted, effects) = after(waiting.clone(), &[Event::Aborted]);
    assert_eq!((aborted.aborted, states(&aborted)), (true, vec![Cancelled, Cancelled]));
    assert_eq!(effects.last(), Some(&Effect::Finished));
    let (begun, _) = after(waiting, &[Event::Claimed { step: 0 }]);
    let refusal = transition(&begun, &Event::Aborted, &Rules::default());
    assert!(matches!(refusal, Err(Refusal::NotAllowed(_))));
}

/// A task of up to six steps; some wait for earlier ones, the first may be a gate.
fn any_life() -> impl Strategy<Value = Life> {
    let drawn = (any::<bool>(), proptest::collection::vec(any::<prop::sample::Index>(), 0..3));
    proptest::collection::vec(drawn, 1..6).prop_map(|drawn| {
        let steps = drawn.into_iter().enumerate().map(|(at, (is_gate, needs))| {
            let mut needs: Vec<_> = needs.iter().filter(|_| at > 0).map(|index| index.index(at)).collect();
            needs.sort_unstable();
            needs.dedup();
            StepLife { is_gate: is_gate && at == 0, ..step(&needs) }
        });
        life(steps.collect())
    })
}

fn any_event() -> impl Strategy<Value = Event> {
    let (step, fence) = (0..7_usize, 0..12_i64);
    let retry = prop_oneof![Just(Retry::Never), Just(Retry::Later), (0..9_u64).prop_map(Retry::AfterMs)];
    prop_oneof![
        4 => step.clone().prop_map(|step| Event::Claimed { step }),
        1 => step.clone().prop_map(|step| Event::Due { step }),
        1 => (step.clone(), fence.clone(), any::<u8>())
            .prop_map(|(step, fence, percent)| Event::Progressed { step, fence, percent }),
        4 => (step.clone(), fence.clone()).prop_map(|(step, fence)| Event::Succeeded { step, fence }),
        2 => (step.clone(), fence.clone(), retry).prop_map(|(step, fence, retry)| failed(step, fence, retry)),
        1 => (step.clone(), fence.clone()).prop_map(|(step, fence)| Event::HandedBack { step, fence }),
        1 => (step, fence).prop_map(|(step, fence)| Event::LeaseExpired { step, fence }),
        1 => Just(Event::Aborted),
    ]
}

fn fence_of(event: &Event) -> Option<(usize, i64)> {
    match event {
        Event::Progressed { step, fence, .. }
        | Event::Succeeded { step, fence }
        | Event::Failed { step, fence, .. }
        | Event::HandedBack { step, fence }
        | Event::LeaseExpired { step, fence } => Some((*step, *fence)),
        Event::Claimed { .. } | Event::Due { .. } | Event::Aborted => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_a_task_ends_once_and_nothing_goes_back(
        start in any_life(),
        events in proptest::collection::vec((any_event(), any::<bool>()), 0..80),
    ) {
        let rules = Rules { max_losses: 3, max_attempts: 3, ..Rules::default() };
        let (mut now, mut ends) = (start, 0);
        for (mut event, aims_well) in events {
            if let (true, Some((step, _))) = (aims_well, fence_of(&event)) {
                let current = now.steps.get(step).map_or(0, |step| step.fence);
                aim(&mut event, current);
            }
            let stale = fence_of(&event).is_some_and(|(step, fence)| {
                now.steps.get(step).is_none_or(|s| s.fence != fence || s.state != Running)
            });
            match transition(&now, &event, &rules) {
                Err(_) => {}
                Ok((next, effects)) => {
                    prop_assert!(!stale, "a report of another attempt changed something");
                    prop_assert!(now.state != TaskState::Finished, "an ended task changed");
                    prop_assert!(next.state >= now.state);
                    ends += effects.iter().filter(|effect| **effect == Effect::Finished).count();
                    for (old, new) in now.steps.iter().zip(&next.steps) {
                        prop_assert!(!old.state.is_end() || old == new, "a step left an end state");
                        prop_assert!(new.progress >= old.progress && new.progress <= 100);
                        prop_assert!(new.fence >= old.fence);
                        let leaves = old.state == Running && new.state != Running;
                        let enters = old.state != Running && new.state == Running;
                        prop_assert_eq!(new.fence - old.fence, i64::from(leaves) + i64::from(enters));
                    }
                    for step in &next.steps {
                        let is_done = |other: &usize| next.steps[*other].state == Succeeded;
                        let was_begun = matches!(step.state, Ready | Running | Delayed | Succeeded | Failed);
                        prop_assert!(!was_begun || step.after.iter().all(is_done));
                    }
                    let over = next.steps.iter().all(|step| step.state.is_end());
                    prop_assert_eq!(over, next.state == TaskState::Finished);
                    now = next;
                }
            }
        }
        prop_assert_eq!(ends, usize::from(now.state == TaskState::Finished));
    }

    #[test]
    fn whoever_works_on_brings_every_task_to_its_end(start in any_life(), good in any::<u64>()) {
        let rules = Rules::default();
        let (mut now, mut turns) = (start, 0_u32);
        while now.state != TaskState::Finished {
            turns += 1;
            prop_assert!(turns < 500, "no end in sight: {:?}", now);
            let next = now.steps.iter().position(|step| matches!(step.state, Ready | Delayed | Running));
            let step = next.expect("something can be done");
            let event = match now.steps[step].state {
                Ready => Event::Claimed { step },
                Delayed => Event::Due { step },
                _ if good >> (turns % 64) & 1 == 1 => Event::Succeeded { step, fence: now.steps[step].fence },
                _ => failed(step, now.steps[step].fence, Retry::Later),
            };
            now = transition(&now, &event, &rules).expect("allowed").0;
        }
    }
}

fn aim(event: &mut Event, current: i64) {
    match event {
        Event::Progressed { fence, .. }
        | Event::Succeeded { fence, .. }
        | Event::Failed { fence, .. }
        | Event::HandedBack { fence, .. }
        | Event::LeaseExpired { fence, .. } => *fence = current,
        Event::Claimed { .. } | Event::Due { .. } | Event::Aborted => {}
    }
}
