//! The table of checks: what each is called, and which strategies it applies to.

use jwt_vs_session::auth::{Backend, CredentialKind, Promise};

use super::suite::Check;
use super::variants::Variant;
use super::{
    everywhere, expiry, forged_claims, forged_form, garbage, logins, outage, races, records, redis_keys, refresh,
    replacement, revocation, silence, slow, two_nodes, upkeep,
};

macro_rules! check {
    ($module:ident::$name:ident) => {
        Check::new(stringify!($name), |fixture, node| Box::pin($module::$name(fixture, node)))
    };
}

pub const CHECKS: &[Check] = &[
    check!(logins::a_credential_proves_the_user_the_login_and_its_expiry),
    check!(logins::a_request_without_a_credential_is_not_refused),
    check!(logins::an_accepted_check_tells_what_both_sides_hold),
    check!(logins::every_login_has_a_name_and_a_credential_of_its_own),
    check!(logins::a_login_does_not_adopt_the_credential_before_it),
    check!(logins::a_login_does_not_adopt_a_made_up_session_id).of(keeps_records),
    check!(logins::the_list_of_devices_begins_with_the_latest_login).of(lists_logins),
    check!(logins::the_list_of_devices_follows_each_revocation_and_expiry).of(lists_logins),
    check!(logins::the_list_of_devices_shows_no_login_that_would_be_refused).of(keeps_shared_records),
    check!(logins::a_strategy_that_cannot_list_logins_says_so).of(lists_none),
    check!(revocation::a_credential_replayed_after_a_log_out_is_refused_as_promised),
    check!(revocation::a_revoked_login_is_refused_to_the_last_millisecond_also_by_a_new_node).of(ends_at_once),
    check!(revocation::later_revocations_bring_no_earlier_one_back).of(learns_by_push),
    check!(revocation::a_second_log_out_is_answered_like_the_first),
    check!(revocation::a_log_out_revokes_only_what_the_strategy_says),
    check!(revocation::a_log_out_everywhere_revokes_every_login_of_the_user_and_of_nobody_else),
    check!(revocation::a_login_opened_after_a_log_out_everywhere_is_accepted),
    check!(revocation::one_device_revokes_another_and_stays),
    check!(revocation::nobody_revokes_a_login_of_another_user),
    check!(revocation::a_refused_credential_leaves_its_reason_in_the_trace),
    check!(expiry::an_unused_login_expires_when_it_said),
    check!(expiry::a_shortened_limit_bounds_older_logins).of(outlives_a_node),
    check!(expiry::a_shortened_absolute_limit_bounds_older_sessions).of(keeps_shared_records),
    check!(expiry::a_session_in_use_outlives_the_idle_limit).of(keeps_records),
    check!(expiry::a_page_that_only_sits_open_keeps_no_session_alive).of(keeps_records),
    check!(expiry::a_session_in_use_expires_at_the_absolute_limit).of(keeps_records),
    check!(expiry::using_a_session_writes_at_most_once_in_a_tenth_of_the_idle_limit).of(keeps_records),
    check!(expiry::the_sliding_write_comes_at_a_tenth_of_the_idle_limit_and_not_before).of(keeps_records),
    check!(garbage::no_mutated_credential_is_accepted_and_none_is_a_failure).multi_thread(),
    check!(forged_form::an_honest_token_made_by_hand_is_accepted_so_the_forge_works).of(signs),
    check!(forged_form::no_header_but_the_one_that_is_issued_is_accepted).of(signs),
    check!(forged_form::no_other_algorithm_is_accepted_not_even_with_the_public_key_as_a_secret).of(signs),
    check!(forged_form::a_token_of_another_key_is_refused_even_under_the_same_key_id).of(signs),
    check!(forged_form::an_honest_token_in_another_form_is_refused).of(signs),
    check!(forged_form::a_token_of_more_than_4096_bytes_is_refused_before_its_signature_is_checked).of(signs),
    check!(forged_form::a_token_of_another_algorithm_is_refused).of(signs),
    check!(forged_claims::a_missing_doubled_or_wrongly_typed_claim_is_refused).of(signs),
    check!(forged_claims::a_token_for_another_mount_issuer_or_purpose_is_refused).of(signs),
    check!(forged_claims::times_are_compared_to_the_millisecond_and_in_one_form_only).of(signs),
    check!(forged_claims::a_token_expires_after_its_access_life_whatever_it_says).of(signs),
    check!(records::opaque_session_ids_have_records).of(has_session_ids),
    check!(records::creating_a_record_under_a_taken_id_overwrites_nothing).of(keeps_records),
    check!(records::a_record_comes_back_as_it_was_stored).of(keeps_records),
    check!(records::a_record_without_a_login_is_not_stored).of(keeps_records),
    check!(records::a_store_lists_no_record_that_has_expired).of(keeps_records),
    check!(records::a_store_finds_a_record_until_the_millisecond_before_its_expiry).of(keeps_records),
    check!(records::a_late_write_does_not_revive_an_expired_record).of(keeps_records_by_its_own_clock),
    check!(records::a_thousand_made_up_ids_are_refused_and_leave_nothing).of(keeps_records),
    check!(records::a_garbage_record_is_refused_with_one_logged_error).of(keeps_records_in_redis),
    check!(redis_keys::every_key_has_a_time_to_live_after_every_write).of(keeps_records_in_redis),
    check!(redis_keys::a_key_lives_as_long_as_its_login_and_the_index_as_long_as_the_last_login)
        .of(keeps_records_in_redis),
    check!(redis_keys::redis_deletes_an_expired_session_by_itself).of(keeps_records_in_redis),
    check!(redis_keys::the_index_names_no_expired_or_revoked_login).of(keeps_records_in_redis),
    check!(redis_keys::a_log_out_everywhere_leaves_no_key_of_the_user).of(keeps_records_in_redis),
    check!(redis_keys::nothing_in_redis_logs_in).of(keeps_records_in_redis),
    check!(redis_keys::a_check_is_one_command_and_an_anonymous_request_is_none).of(reads_redis_each_time),
    check!(races::a_write_of_a_record_read_before_its_revocation_fails_and_brings_nothing_back).of(keeps_records),
    check!(races::no_write_in_flight_across_a_log_out_brings_a_login_back).of(keeps_records).multi_thread(),
    check!(races::a_hundred_log_outs_and_three_hundred_writes_at_once_leave_nothing).of(keeps_records).multi_thread(),
    check!(races::a_hundred_log_outs_and_requests_at_once_revoke_as_promised).multi_thread(),
    check!(races::while_half_of_a_hundred_logins_are_revoked_the_others_stay).of(keeps_records).multi_thread(),
    check!(everywhere::a_login_opened_during_a_log_out_everywhere_has_one_outcome_on_every_node)
        .of(revokes_all)
        .multi_thread(),
    check!(replacement::a_replaced_login_and_all_others_are_revoked_and_one_is_opened).on_postgres(),
    check!(replacement::a_revoked_login_is_not_replaced_on_any_node).of(revokes_all).on_postgres(),
    check!(replacement::a_log_out_everywhere_during_a_replacement_leaves_no_login)
        .of(revokes_all)
        .multi_thread()
        .on_postgres(),
    check!(two_nodes::after_a_revoke_on_one_node_both_refuse_as_promised).multi_thread(),
    check!(slow::a_node_keeps_no_record_that_another_node_revoked_meanwhile).of(keeps_records_in_redis),
    check!(slow::a_node_keeps_no_record_that_it_revoked_itself).of(keeps_records_in_redis),
    check!(slow::revocations_read_before_a_revoke_are_not_filled_in_after_it).of(keeps_revocations_in_redis),
    check!(silence::a_node_that_no_push_reaches_refuses_a_revoked_login_after_the_bound).of(learns_by_push),
    check!(refresh::tabs_that_renew_at_once_get_the_same_successor).of(renews).multi_thread().on_postgres(),
    check!(refresh::a_thief_in_lock_step_with_its_victim_ends_the_login).of(renews).on_postgres(),
    check!(refresh::a_lost_answer_does_not_end_the_login).of(renews).multi_thread().on_postgres(),
    check!(refresh::a_repeat_by_another_client_or_of_a_token_left_behind_is_reuse).of(renews).on_postgres(),
    check!(refresh::a_client_that_moves_renews_with_its_newest_token).of(renews).on_postgres(),
    check!(refresh::no_race_leaves_two_branches_of_a_family).of(renews).multi_thread().on_postgres(),
    check!(refresh::a_made_up_refresh_token_costs_one_read_at_most).of(renews).on_postgres(),
    check!(refresh::an_old_token_proves_its_family_without_a_row_and_a_forged_token_does_not)
        .of(renews)
        .multi_thread()
        .on_postgres(),
    check!(refresh::a_renewal_in_flight_across_a_log_out_keeps_no_login_alive).of(renews).multi_thread().on_postgres(),
    check!(outage::with_redis_killed_what_needs_it_fails_and_recovers_with_it).with_redis(),
    check!(outage::with_redis_frozen_what_needs_it_fails_and_recovers_with_it).with_redis(),
    check!(outage::a_redis_that_stands_still_is_given_up_within_a_second).of(reads_redis_each_time),
    check!(outage::a_redis_that_was_never_there_fails_and_works_once_it_comes).of(keeps_records_in_redis),
    check!(upkeep::an_upkeep_makes_the_store_calls_that_it_names).of(has_upkeep),
];

fn keeps_records(variant: &Variant) -> bool {
    variant.keeps_records
}

fn keeps_shared_records(variant: &Variant) -> bool {
    variant.keeps_records && outlives_a_node(variant)
}

/// The limits of a node change when an operator starts it again.
fn outlives_a_node(variant: &Variant) -> bool {
    variant.description.shared
}

fn keeps_records_in_redis(variant: &Variant) -> bool {
    variant.keeps_records && variant.description.backend == Backend::Redis
}

fn keeps_records_by_its_own_clock(variant: &Variant) -> bool {
    variant.keeps_records && variant.description.backend != Backend::Redis
}

fn reads_redis_each_time(variant: &Variant) -> bool {
    keeps_records_in_redis(variant) && variant.description.promise == Promise::Immediate
}

fn keeps_revocations_in_redis(variant: &Variant) -> bool {
    !variant.keeps_records && variant.description.backend == Backend::Redis
}

fn learns_by_push(variant: &Variant) -> bool {
    matches!(variant.description.promise, Promise::Push { .. })
}

fn has_session_ids(variant: &Variant) -> bool {
    variant.description.kind == CredentialKind::Session
}

fn lists_logins(variant: &Variant) -> bool {
    variant.description.lists_logins
}

fn lists_none(variant: &Variant) -> bool {
    !variant.description.lists_logins
}

fn signs(variant: &Variant) -> bool {
    variant.description.signed_with.is_some()
}

fn renews(variant: &Variant) -> bool {
    variant.description.transport.refresh_cookie.is_some()
}

/// Whether a log out everywhere revokes anything: at once, or at the next renewal.
fn revokes_all(variant: &Variant) -> bool {
    renews(variant) || !matches!(variant.description.promise, Promise::Expiry { .. })
}

fn ends_at_once(variant: &Variant) -> bool {
    !matches!(variant.description.promise, Promise::Expiry { .. })
}

fn has_upkeep(variant: &Variant) -> bool {
    variant.description.upkeep.is_some()
}
