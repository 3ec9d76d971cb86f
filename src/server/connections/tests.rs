use std::time::Duration;

use futures_util::FutureExt as _;

use super::*;

fn limited(per_network: usize, total: usize) -> Arc<Connections> {
    let trusted_proxies = TrustedProxies::new(vec!["10.0.0.1/32".parse().expect("a network")]);
    Arc::new(Connections::new(ConnectionLimits { per_network, total, reserve: 1, trusted_proxies }))
}

/// A connection with a request under way; `None` if it was refused, false if it may only ask for `/healthz`.
fn busy(connections: &Arc<Connections>, address: &str) -> Option<(bool, ConnectionSlot)> {
    let (is_full, slot) = match connections.admit(address.parse().expect("an address")) {
        Admission::Open(slot) => (true, slot),
        Admission::HealthOnly(slot) => (false, slot),
        Admission::Refused => return None,
    };
    slot.busy();
    Some((is_full, slot))
}

#[test]
fn the_addresses_of_one_slash_64_share_a_limit() {
    let connections = limited(2, 9);
    let first = busy(&connections, "2001:db8:1:2::1").expect("a place");
    let _second = busy(&connections, "2001:db8:1:2:ffff::9").expect("a place");
    assert!(busy(&connections, "2001:db8:1:2::3").is_none());
    let _other = busy(&connections, "2001:db8:1:3::1").expect("a place: another network");
    drop(first);
    let _third = busy(&connections, "2001:db8:1:2::3").expect("a place: one has ended");
    let proxy: Vec<_> = (0..4).map(|_| busy(&connections, "10.0.0.1").expect("no limit")).collect();
    assert_eq!(proxy.len(), 4);
}

/// On a paused clock.
#[tokio::test(start_paused = true)]
async fn the_longest_idle_connection_goes_first_and_once() {
    let connections = limited(2, 9);
    let [first, second] = [(); 2].map(|()| busy(&connections, "192.0.2.1").expect("a place").1);
    assert!(busy(&connections, "192.0.2.1").is_none(), "a request is under way on both");
    second.idle(Instant::now());
    tokio::time::advance(Duration::from_secs(1)).await;
    first.idle(Instant::now());
    let third = busy(&connections, "192.0.2.1").expect("the place of the second");
    assert!(second.state.is_asked_to_end() && !first.state.is_asked_to_end());
    drop(second);
    let _fourth = busy(&connections, "192.0.2.1").expect("the place of the first");
    assert!(first.state.is_asked_to_end());
    assert!(busy(&connections, "192.0.2.1").is_none(), "a request is under way on both again");
    drop((first, third));
    let _fifth = busy(&connections, "192.0.2.1").expect("a place: one has ended");
    assert!(busy(&connections, "192.0.2.1").is_none(), "nothing was counted twice");
}

#[test]
fn above_the_total_there_are_places_for_health_checks_alone() {
    let connections = limited(9, 2);
    let held: Vec<_> = (1..=2).filter_map(|host| busy(&connections, &format!("192.0.2.{host}"))).collect();
    assert!(held.iter().all(|(is_full, _)| *is_full));
    assert!(connections.place().now_or_never().is_some());
    let (is_full, reserve) = busy(&connections, "192.0.2.9").expect("a place in the reserve");
    assert!(!is_full);
    assert!(connections.place().now_or_never().is_none(), "the reserve is in use, too");
    drop(reserve);
    assert!(connections.place().now_or_never().is_some());
    held[0].1.idle(Instant::now());
    assert!(busy(&connections, "192.0.2.9").expect("a place").0, "that of the idle one");
}

/// Its request may be on its way: a burst of new connections must not push each other out.
#[tokio::test(start_paused = true)]
async fn a_new_connection_has_a_second_for_its_first_request() {
    let connections = limited(1, 9);
    let Admission::Open(new) = connections.admit([192, 0, 2, 1].into()) else { panic!("no place") };
    assert!(busy(&connections, "192.0.2.1").is_none());
    tokio::time::advance(FIRST_REQUEST).await;
    assert!(busy(&connections, "192.0.2.1").is_some());
    assert!(new.state.is_asked_to_end());
}
