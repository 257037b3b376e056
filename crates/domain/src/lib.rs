//! The domain of Revolve: accounts, sessions and revolving refresh tokens.
//!
//! This crate holds the model, the ports (what it needs from outside, as traits) and the use cases. It has no I/O, no
//! runtime, no clock and no randomness: those are [`ports`]. Embed it with your own adapters, and test them with the contract
//! suites of `revolve-testkit`.
//!
//! # Invariants
//!
//! Each names its tests: in this crate's `tests/domain`, or in the contract suites of `revolve-testkit`.
//!
//! 1. A session has at most one live refresh token; a retry gets the same successor, never a branch.
//!    (`machine::interleavings::no_interleaving_makes_a_branch_or_accuses_an_honest_client`,
//!    contract `parallel_refreshes_rotate_once`)
//! 2. The live token gets its successor; so does its parent, within the retry windows and as long as the successor is
//!    unused. (`machine::table::rotated_when_the_live_token_is_presented`,
//!    `machine::table::repeated_within_the_free_window`, `machine::edges::a_late_retry_is_possible_until_its_window_ends`)
//! 3. A generation that was retried late is charged once; after `late_retries` such generations in a row the next late
//!    retry is reuse. The count clears only when a generation is used without a late retry.
//!    (`machine::table::repeated_late_and_charged_once`, `stories::reuse::a_shadow_that_lives_on_retries_is_found`,
//!    contract `a_generation_used_without_a_late_retry_clears_the_count`)
//! 4. A token that proves a later generation than the store's is healed, not theft.
//!    (`machine::table::healed_when_the_store_is_at_an_earlier_generation`,
//!    `stories::reuse::a_white_list_that_lost_rotations_is_healed_by_the_newest_token`). Of one generation at most one token is accepted
//!    between two losses. (`machine::table::reused_when_another_token_of_that_generation_is_presented`,
//!    `stories::reuse::after_a_rollback_a_thief_that_catches_up_does_not_share_the_session`,
//!    contract `after_a_rollback_no_generation_has_two_tokens`)
//! 5. A bound session's refresh tokens are refused without its device's credential, before any other check; so are its ID tokens, but
//!    for reading the account and ending that session. (`machine::table::the_device_check_comes_before_every_row`,
//!    `stories::devices::whichever_says_bound_is_enough`,
//!    `stories::bound_sessions::an_id_token_alone_reads_the_account_of_a_bound_session_and_ends_it`)
//!    Only a device that its user has signed in on since the last raise of the epoch is kept or bound.
//!    (`stories::device_credentials::whatever_raises_the_epoch_replaces_the_credentials`,
//!    `stories::device_credentials::a_credential_of_somebody_else_is_never_kept`,
//!    contract `a_sign_in_keeps_no_device_on_which_reuse_is_found_meanwhile`)
//! 6. The end of a session is a commit in the user database before the answer; after it no token of the session works.
//!    (`stories::sign_out::with_the_white_list_down_a_sign_out_is_final_and_clears_later`,
//!    `stories::sign_out::a_white_list_from_an_old_file_does_not_undo_a_sign_out`)
//! 7. A session that began under an older epoch is over, but for the one that was kept.
//!    (`stories::races::a_sign_in_still_hashing_does_not_outlive_a_password_change`,
//!    `stories::refusals::how_a_session_stands_follows_from_its_two_rows`) Nor does a change of address or a deletion outlive the password that
//!    it was shown. (`stories::races::a_change_of_address_still_hashing_does_not_outlive_a_password_change`,
//!    contract `an_update_does_not_come_after_a_password_change`)
//! 8. Order is by generation and epoch alone; no clock of a replica decides it.
//!    (`stories::clocks::windows_run_on_the_clock_of_the_white_list`,
//!    `stories::clocks::an_epoch_ends_sessions_whatever_the_clocks_say`, contract `expiry_runs_on_the_store_clock`)
//! 9. The data of a user in the stores is bounded, whatever the sequence of sign-ins, but for rows of sessions that ended within
//!    [`revocations::KEPT`].
//!    (`stories::bounds::nothing_grows_under_any_sequence_of_sign_ins`)
//! 10. A key signs only after every verifier can have fetched it, and is deleted only after its last token has expired; each use has one
//!     active key, whichever replica looks. (`keys::life::a_key_is_published_for_the_cache_time_of_the_key_set_before_it_signs`,
//!     `keys::life::a_retired_key_stays_until_its_last_token_has_expired`, contract `parallel_promotions_happen_once`). A revoked key is
//!     refused as soon as a replica could ask once, where there is a store of revoked keys.
//!     (`keys::keep::a_revoked_key_that_a_restore_brings_back_is_refused_and_removed`,
//!     `keys::keep::what_was_refused_stays_so_while_nobody_can_say_what_is_revoked`)
//! 11. Every change of an account, a session or a key tells what it means in its own commit, and a refresh writes nothing.
//!     (contract `what_an_outcome_tells_is_committed_with_it`, `stories::journal::a_change_that_fails_is_not_told_and_one_whose_answer_is_lost_is`,
//!     `stories::journal::a_refresh_writes_nothing`)
//! 12. A proof of a mailbox is spent once, in the commit of what it grants, and counts only while the account is as it was when it was asked for;
//!     five codes can be tried. (contract `parallel_resets_succeed_once`, `parallel_sign_ins_by_one_code_begin_one_session`, `a_change_of_what_it_is_bound_to_voids_it`,
//!     `parallel_attempts_are_no_more_than_there_are`) A link alone opens nothing where its mail was not asked for.
//!     (`stories::recovery::a_link_counts_only_where_the_mail_was_asked_for`) Those that operators order, invitations and recovery links, count anywhere.
//!     No code signs in to an account that its reader may not have made.
//!     (`stories::sign_in_code::an_account_that_a_stranger_may_have_made_gets_no_code`)
//! 13. Of several changes of an account that expect one version one succeeds. (contract `parallel_changes_of_one_version_succeed_once`) A token says
//!     what the account was in its version, and what operators have changed since outdates it, also one that is signed after the change.
//!     (`stories::roles::a_change_of_roles_is_in_the_next_token_and_outdates_those_of_before`,
//!     contract `a_change_of_what_services_decide_by_outdates_tokens`)
//! 14. Where an account needs a factor that it has set up, no session begins without one, whatever else was proved. (contract
//!     `no_session_begins_without_a_factor_that_is_needed`, `a_recovery_leads_to_the_second_step`,
//!     `stories::factors::second_step::a_recovery_never_yields_a_session_past_a_factor`) Challenges, codes of apps, that of the set-up included, and
//!     recovery codes are spent once, in the commit of what they grant. (contract `parallel_uses_of_one_code_count_once`,
//!     `parallel_answers_to_one_challenge_begin_one_session`) No guesser shuts out the owner's device.
//!     (`stories::factors::guessing::a_guesser_who_has_the_password_is_slowed_and_the_owner_is_not`) An account keeps a password or a passkey.
//!     (contract `parallel_removals_leave_a_way_in`)

pub mod deliveries;
pub mod factors;
pub mod journal;
pub mod keys;
pub mod limits;
pub mod model;
pub mod policy;
pub mod ports;
pub mod proofs;
pub mod revocations;
pub mod rotation;
pub mod use_cases;
pub mod webhooks;
