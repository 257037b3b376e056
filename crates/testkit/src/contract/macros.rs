//! The lists of cases, as macros that turn each into a test. `tests/complete.rs` checks that none is missing.

/// Runs [`tokens`](crate::contract::tokens) against the subject that the named `async fn` makes: one
/// `#[tokio::test]` per case.
#[macro_export]
macro_rules! tokens_contract {
    ($make:path) => {
        $crate::__cases!($make, tokens:
            begin_white_lists_the_first_token,
            begin_answers_the_other_live_sessions,
            begin_again_replaces_the_entry,
            begin_drops_the_dead,
            begin_keeps_the_ceiling,
            begin_never_evicts_the_new_session,
            users_do_not_meet,
            the_live_token_is_rotated,
            the_successor_is_what_the_rotation_says,
            an_unknown_session_is_unknown,
            an_expired_entry_is_unknown,
            a_rotation_renews_the_life,
            expiry_runs_on_the_store_clock,
            an_expired_claim_does_not_stop_a_live_token,
            a_lost_generation_is_healed,
            healing_starts_afresh,
            an_expired_token_does_not_heal,
            large_generations_are_exact,
            a_free_retry_repeats_the_successor,
            a_late_retry_is_charged_once,
            late_retries_in_a_row_are_limited,
            a_generation_used_without_a_late_retry_clears_the_count,
            a_charged_generation_is_still_held_to_the_window,
            no_retry_after_the_window,
            a_strict_policy_allows_no_late_retry,
            a_policy_without_late_retries_allows_none,
            a_shown_device_has_the_longer_window,
            no_retry_once_the_successor_was_used,
            a_slow_sibling_is_stale,
            reuse_revokes,
            reuse_can_be_rejected,
            another_token_of_the_live_generation_is_reuse,
            another_token_of_the_replaced_generation_is_reuse,
            another_token_of_the_healed_generation_is_reuse,
            a_bound_row_or_claim_demands_the_credential,
            a_bound_entry_demands_the_credential,
            a_foreign_credential_is_refused,
            the_device_check_comes_first,
            a_shown_credential_binds_the_successor,
            end_removes_these_sessions_only,
            end_passes_over_the_unknown,
            end_older_spares_the_same_and_newer_epochs,
            end_older_keeps_the_kept,
            a_rotated_entry_carries_the_epoch_of_its_row,
            list_shows_live_sessions,
            list_leaves_out_the_dead,
            the_white_list_answers,
            parallel_refreshes_rotate_once,
            parallel_begins_are_all_there,
            parallel_begins_keep_the_ceiling,
            a_refresh_does_not_outlive_an_end,
            a_refresh_does_not_outlive_end_older,
        );
    };
}

/// Runs [`journal`](crate::contract::journal) against the subject that the named `async fn` makes: one `#[tokio::test]` per case.
#[macro_export]
macro_rules! journal_contract {
    ($make:path) => {
        $crate::__cases!($make, journal:
            what_an_outcome_tells_is_committed_with_it,
            what_changed_nothing_tells_nothing,
            an_entry_reads_back_as_told,
            entries_of_one_commit_keep_their_order,
            every_change_tells,
            parallel_changes_tell_once_each,
            pages_join_without_gaps,
            a_page_after_an_unknown_entry_is_empty,
            a_page_after_an_entry_of_another_account_is_empty,
            an_account_sees_its_own_entries_only,
            entries_are_found_by_name_and_time,
            a_follower_gets_each_entry_once,
            a_follower_begins_now,
            parallel_changes_reach_a_follower,
            notes_of_one_id_are_counted,
            a_note_reads_back_as_noted,
            a_deletion_scrubs_the_entries,
            a_note_about_a_deleted_account_is_scrubbed,
            old_entries_are_pruned_in_batches,
        );
    };
}

/// Runs [`users`](crate::contract::users) and [`sessions`](crate::contract::sessions) against the subject that the
/// named `async fn` makes: one `#[tokio::test]` per case.
#[macro_export]
macro_rules! accounts_contract {
    ($make:path) => {
        $crate::__cases!($make, users:
            an_account_reads_back_as_created,
            nobody_has_a_strange_address,
            the_device_of_a_sign_up_is_known,
            a_taken_address_changes_nothing,
            parallel_creates_of_one_address_make_one_account,
            an_account_is_added_without_a_session,
            an_added_account_takes_no_address_and_no_id,
            an_address_is_found_under_its_former_form_first,
            an_address_is_taken_by_its_former_form,
            parallel_adds_of_one_address_make_one_account,
            a_hash_is_replaced_only_while_it_is_the_old_one,
            an_update_changes_only_what_it_names,
            an_update_clears_what_it_says,
            an_update_refuses_a_taken_address,
            an_update_may_repeat_its_own_address,
            a_freed_address_can_be_taken,
            updating_nobody_is_not_found,
            parallel_updates_keep_each_other,
            an_update_needs_the_session_that_asks_to_live,
            an_update_needs_the_epoch_of_the_password,
            an_update_does_not_come_after_a_password_change,
            a_password_change_ends_all_other_sessions,
            a_password_change_needs_a_live_session,
            a_password_change_needs_the_same_epoch,
            parallel_password_changes_succeed_once,
            a_deleted_account_is_gone,
            a_deletion_ends_the_sessions_and_scrubs_their_rows,
            a_deletion_forgets_the_devices,
            deleting_nobody_is_false,
            a_deletion_needs_the_session_that_asks_to_live,
            a_deletion_needs_the_epoch_of_the_password,
            the_user_database_answers,
        );
        $crate::__cases!($make, sessions:
            a_session_reads_back_as_begun,
            the_session_of_another_user_is_not_found,
            a_sign_in_replaces_the_same_device,
            a_sign_in_replaces_the_same_client_only,
            a_sign_in_expires_what_was_not_refreshed,
            a_sign_in_evicts_the_least_recently_refreshed,
            a_row_without_an_entry_counts_from_its_sign_in,
            a_sign_in_replaces_before_it_evicts,
            ended_rows_are_bounded,
            the_device_of_a_sign_in_is_known,
            a_device_stays_known_after_its_sessions,
            known_devices_are_bounded,
            known_devices_are_forgotten_in_time,
            a_superseded_sign_in_makes_no_device_known,
            a_device_is_current_until_the_epoch_rises,
            a_device_is_not_current_after_reuse,
            a_device_is_not_current_after_reuse_in_a_session_that_was_over,
            of_several_devices_the_current_one_is_known,
            former_devices_become_the_new_one,
            an_unbound_session_takes_a_device_of_its_user,
            parallel_bindings_agree_on_a_device,
            the_devices_of_a_deleted_account_bind_nothing,
            a_sign_in_under_an_older_epoch_is_superseded,
            a_sign_in_of_a_disabled_account_is_superseded,
            a_sign_in_of_a_deleted_account_is_superseded,
            a_sign_in_that_keeps_a_device_needs_it_to_be_current,
            a_sign_in_keeps_no_device_on_which_reuse_is_found_meanwhile,
            parallel_sign_ins_keep_max_live,
            parallel_sign_ins_on_one_device_replace_each_other,
            a_sign_in_does_not_outlive_an_epoch_raise,
            binding_happens_once,
            the_first_reason_stays,
            ending_a_strange_session_is_not_found,
            ending_all_raises_the_epoch,
            ending_the_others_keeps_one,
            ending_the_others_needs_the_kept_one_to_live,
            ending_all_of_nobody_is_none,
            live_sessions_come_newest_first,
            a_row_of_an_older_epoch_lives_only_if_kept,
            pruning_takes_the_long_over_in_batches,
            an_ended_session_is_revoked_since_its_end,
            a_raised_epoch_is_revoked_since_its_raise,
            a_deleted_account_leaves_its_ended_sessions,
            a_sign_in_revokes_what_it_replaces_and_evicts,
            revocations_are_one_consistent_view,
            a_read_goes_on_where_another_ended,
            no_end_falls_between_two_reads,
            a_crowded_user_comes_with_what_lives,
            ends_that_are_not_settled_are_not_dropped,
        );
    };
}

/// Runs [`directory`](crate::contract::directory) against the [`DirectorySubject`](crate::contract::DirectorySubject) that the named
/// `async fn` makes: one `#[tokio::test]` per case.
#[macro_export]
macro_rules! directory_contract {
    ($make:path) => {
        $crate::__cases!($make, directory:
            a_change_reads_back,
            a_version_rises_with_each_change,
            a_change_needs_the_version_that_it_expects,
            parallel_changes_of_one_version_succeed_once,
            an_operators_change_to_a_taken_address_changes_nothing,
            a_change_of_nothing_leaves_the_version,
            a_change_of_what_services_decide_by_outdates_tokens,
            a_read_goes_on_to_what_was_outdated_since,
            a_change_tells,
            disabling_and_enabling_tell,
            accounts_come_by_address,
            a_list_goes_on_after_an_address,
            a_list_has_a_prefix,
            a_list_can_be_of_disabled_accounts,
            a_list_can_be_of_some_states_and_of_a_role,
            a_list_follows_every_change,
            a_walk_meets_every_account_once,
            a_walk_knows_the_hashes,
            a_walk_meets_the_first_and_the_last_id_that_there_can_be,
            a_history_has_all_rows,
            a_disabled_account_is_signed_out,
            a_disabled_account_stays_so_since_the_first_time,
            disabling_revokes_for_those_who_verify,
            a_sign_in_does_not_outlive_a_disabling,
            an_enabled_account_signs_in_again,
            nobody_is_neither_disabled_nor_enabled,
        );
    };
}

/// Runs [`api_keys`](crate::contract::api_keys) and [`named_requests`](crate::contract::named_requests) against the
/// [`ApiKeysSubject`](crate::contract::ApiKeysSubject) that the named `async fn` makes: one `#[tokio::test]` per case.
#[macro_export]
macro_rules! api_keys_contract {
    ($make:path) => {
        $crate::__cases!($make, api_keys:
            a_key_reads_back_as_added,
            keys_are_listed_oldest_first,
            a_revoked_key_stays_so_since_the_first_time,
            parallel_revocations_tell_once,
            an_unknown_key_is_neither_found_nor_revoked,
            the_last_use_never_goes_back,
        );
        $crate::__cases!($make, named_requests:
            a_request_is_new_once,
            another_request_does_not_take_the_name,
            a_released_name_is_free,
            a_release_frees_no_other_request,
            old_requests_are_pruned,
            a_name_is_free_after_a_day,
            of_parallel_requests_one_is_new,
        );
    };
}

/// Runs [`proofs`](crate::contract::proofs) against the [`ProofsSubject`](crate::contract::ProofsSubject) that the named
/// `async fn` makes: one `#[tokio::test]` per case.
#[macro_export]
macro_rules! proofs_contract {
    ($make:path) => {
        $crate::__cases!($make, proofs:
            a_proof_reads_back_as_opened,
            a_proof_comes_with_its_mail_and_its_entry,
            a_withheld_mail_is_taken_back,
            a_request_of_a_deleted_account_leaves_no_address,
            a_new_proof_makes_the_older_void,
            proofs_of_other_scopes_stay,
            who_asks_again_gets_the_same_proof,
            nobodys_proof_is_asked_for_again_like_any_other,
            three_sign_ups_of_an_address_stay,
            parallel_requests_leave_one_proof,
            parallel_requests_lose_no_attempt,
            expired_proofs_are_pruned,
            attempts_are_counted,
            a_right_code_is_given_back,
            parallel_attempts_are_no_more_than_there_are,
            an_attempt_names_the_purpose,
            an_expired_proof_is_gone,
            standing_tells_the_open_from_the_others,
            a_verified_address_is_remembered,
            parallel_confirmations_succeed_once,
            a_change_of_what_it_is_bound_to_voids_it,
            a_superseded_code_verifies_nothing,
            who_reads_an_unverified_address_can_take_it_back,
            a_verified_address_is_not_taken_back,
            a_deletion_leaves_no_proof,
            a_new_address_is_not_verified,
            a_change_of_address_leaves_its_undo,
            a_change_to_a_taken_address_changes_nothing,
            parallel_changes_to_one_address_succeed_once,
            a_proof_never_moves_to_another_address,
            a_superseded_code_changes_no_address,
            a_change_can_come_without_an_undo,
            another_address_is_none_that_a_former_system_is_asked_about,
            a_proved_sign_up_is_an_account,
            a_sign_up_of_a_taken_address_changes_nothing,
            parallel_sign_ups_of_one_address_make_one_account,
            a_superseded_code_makes_no_account,
            a_code_begins_a_session_and_is_spent,
            parallel_sign_ins_by_one_code_begin_one_session,
            a_code_that_does_not_hold_begins_nothing,
            a_change_of_the_account_voids_its_code,
            a_code_is_not_spent_where_no_session_begins,
            a_reset_begins_anew,
            a_reset_spends_the_proof,
            parallel_resets_succeed_once,
            a_reset_voids_the_other_proofs,
            a_reset_that_does_not_hold_changes_nothing,
            a_superseded_code_resets_nothing,
            an_undo_restores_the_address,
            an_undo_leaves_those_of_earlier_changes,
            an_undo_needs_the_address_to_be_free,
            an_address_that_can_be_restored_is_taken,
            an_undo_is_always_another_proof,
            an_operators_change_of_address_is_not_undone,
            an_address_is_free_once_it_can_not_be_restored,
            no_sign_up_comes_between_a_change_and_its_undo,
            an_invitation_is_an_account_with_its_proof_and_mail,
            an_invitation_takes_no_address_and_no_id,
            an_invitation_sets_the_first_password_and_verifies_the_address,
            a_recovery_link_verifies_no_address,
            all_that_is_stored_about_an_account_is_read,
            nothing_is_read_about_nobody,
        );
    };
}

/// Runs [`keys`](crate::contract::keys) against the [`KeysSubject`](crate::contract::KeysSubject) that the named
/// `async fn` makes: one `#[tokio::test]` per case.
#[macro_export]
macro_rules! keys_contract {
    ($make:path) => {
        $crate::__cases!($make, keys:
            an_empty_store_has_no_keys,
            a_key_reads_back_as_stored,
            keys_come_oldest_first,
            a_use_has_one_next_and_one_active_key,
            an_id_is_taken_once,
            parallel_inserts_add_one,
            a_promotion_swaps_two_keys,
            a_first_promotion_retires_nothing,
            a_promotion_needs_the_keys_as_they_were,
            parallel_promotions_happen_once,
            a_promotion_leaves_the_other_use_alone,
            only_an_active_key_retires,
            a_key_is_removed_in_its_state_only,
            every_change_of_a_key_tells,
            a_key_is_resealed_only_as_it_was,
            a_removed_key_can_be_followed,
        );
    };
}

/// Runs [`factors`](crate::contract::factors) against the [`FactorsSubject`](crate::contract::FactorsSubject) that the named
/// `async fn` makes: one `#[tokio::test]` per case.
#[macro_export]
macro_rules! factors_contract {
    ($make:path) => {
        $crate::__cases!($make, factors:
            a_challenge_reads_back_as_opened,
            attempts_of_a_challenge_are_counted,
            parallel_attempts_of_a_challenge_are_no_more_than_there_are,
            an_expired_challenge_is_not_found,
            the_oldest_challenges_of_a_scope_go,
            a_challenge_that_does_not_hold_is_not_opened,
            a_mailed_code_is_spent_with_the_second_step,
            what_is_over_is_pruned,
            a_second_step_begins_the_session,
            a_second_step_that_does_not_hold_changes_nothing,
            a_superseded_second_step_spends_nothing,
            a_passkey_alone_begins_a_session,
            no_session_begins_without_a_factor_that_is_needed,
            parallel_answers_to_one_challenge_begin_one_session,
            what_a_second_step_tells_is_committed_with_it,
            a_code_counts_once,
            a_code_of_an_app_that_was_removed_does_not_count,
            parallel_uses_of_one_code_count_once,
            a_recovery_code_counts_once,
            all_recovery_codes_can_be_used,
            a_factor_is_shown_in_a_session,
            a_factor_is_not_shown_in_a_session_that_is_over,
            an_app_counts_once_it_is_confirmed,
            the_first_factor_ends_all_other_sessions,
            an_app_is_replaced_only_while_it_waits,
            parallel_confirmations_confirm_once,
            a_passkey_reads_back_as_added,
            the_first_factor_alone_gets_recovery_codes,
            a_credential_is_of_one_passkey,
            parallel_registrations_of_one_credential_add_one,
            there_are_no_more_passkeys_than_the_most,
            a_registration_needs_its_own_challenge,
            factors_are_added_in_a_live_session_only,
            a_passkey_is_renamed,
            the_last_way_in_is_not_removed,
            parallel_removals_leave_a_way_in,
            a_factor_that_is_needed_is_not_removed,
            recovery_codes_go_with_the_last_factor,
            only_an_own_factor_is_removed,
            new_recovery_codes_void_the_former,
            a_deletion_takes_the_factors_along,
            an_account_is_made_with_a_passkey,
            a_sign_up_with_a_passkey_that_does_not_hold_changes_nothing,
            parallel_sign_ups_by_one_passkey_make_one_account,
            a_proved_sign_up_has_its_passkey,
            a_recovery_leads_to_the_second_step,
            a_recovery_takes_the_factors_of_an_account_whose_mail_nobody_read,
            a_recovery_by_an_operators_link_leaves_the_factors,
            an_undo_takes_the_factors_that_were_added_since,
            a_reset_waits_for_its_time,
            a_forced_reset_needs_no_order,
            a_reset_leaves_what_was_set_up_since,
            a_reset_of_nothing_is_forgotten,
            a_reset_needs_factors,
            a_reset_is_stopped,
            parallel_resets_of_one_order_reset_once,
            secrets_are_resealed_as_they_were,
            an_export_has_factors_and_challenges,
        );
    };
}

/// Runs [`deliveries`](crate::contract::deliveries) against the [`DeliveriesSubject`](crate::contract::DeliveriesSubject) that the named
/// `async fn` makes: one `#[tokio::test]` per case.
#[macro_export]
macro_rules! deliveries_contract {
    ($make:path) => {
        $crate::__cases!($make, deliveries:
            a_mail_is_leased_as_it_was_inserted,
            what_is_leased_is_nobody_elses,
            parallel_leases_share_what_is_due,
            a_lease_that_ran_out_is_due_again,
            domains_take_turns,
            a_domain_has_no_more_than_its_room,
            within_a_domain_the_longest_due_come_first,
            what_was_sent_is_gone,
            what_lost_its_sense_is_gone,
            what_is_tried_again_waits,
            what_was_given_up_is_kept_for_a_while,
            a_lease_that_was_followed_settles_nothing,
            only_a_lease_settles,
            notices_of_a_kind_are_counted_in_the_first,
            a_notice_that_was_tried_counts_no_more,
            a_sent_notice_is_followed_after_its_quiet,
            a_notice_does_not_expire_in_its_pause,
            a_notice_beside_one_that_is_tried_again_waits_for_it,
            quiet_is_of_one_kind_and_account,
            each_mailbox_of_an_account_has_its_own_notices,
            a_deletion_leaves_no_pause,
            parallel_notices_are_all_counted,
            what_is_not_a_notice_is_never_counted,
            an_operator_retries_what_was_tried,
            an_operator_drops_what_there_is,
            a_list_has_the_longest_due_first,
            the_backlog_says_what_waits_and_since_when,
            a_mail_is_committed_with_what_it_tells,
            a_refused_change_sends_no_mail,
            what_is_given_up_is_journaled,
            a_deletion_forgets_what_was_given_up,
            what_is_given_up_after_the_deletion_is_forgotten_at_once,
        );
    };
}

/// Runs [`webhooks`](crate::contract::webhooks) against the subject that the named `async fn` makes: one `#[tokio::test]` per case.
#[macro_export]
macro_rules! webhooks_contract {
    ($make:path) => {
        $crate::__cases!($make, webhooks:
            a_webhook_reads_back_as_added,
            there_are_never_more_than_the_most_webhooks,
            webhooks_are_listed_oldest_first,
            a_webhook_is_replaced_once_for_each_version,
            a_change_of_a_webhook_leaves_what_is_known_of_failures,
            a_removed_webhook_takes_along_what_is_on_its_way,
            the_first_webhook_sets_the_cursor,
            a_cursor_is_moved_from_a_place_once,
            an_event_is_leased_as_the_journal_has_it,
            what_is_on_its_way_is_not_ordered_twice,
            what_waits_is_due_when_it_is_ordered_again,
            parallel_leases_share_events,
            a_webhook_has_no_more_than_its_room,
            a_lease_of_an_event_that_ran_out_is_due_again,
            a_sent_event_is_gone_and_its_webhook_works,
            an_event_that_was_cut_off_is_due_at_once,
            a_webhook_that_fails_for_long_is_switched_off,
            a_webhook_that_wants_no_more_is_switched_off,
            a_webhook_that_wants_no_more_is_switched_off_whatever_the_clocks,
            old_events_are_pruned,
            backlogs_say_what_waits_and_since_when,
        );
    };
}

/// Runs [`revoked_keys`](crate::contract::revoked_keys) against the `Arc<dyn RevokedKeys>` that the named `async fn` makes: one
/// `#[tokio::test]` per case.
#[macro_export]
macro_rules! revoked_keys_contract {
    ($make:path) => {
        $crate::__cases!($make, revoked_keys:
            no_key_is_revoked_at_first,
            revoked_keys_are_told_from_others,
            a_revoked_key_stays_revoked,
        );
    };
}

/// Runs [`limits`](crate::contract::limits) against the [`LimitsSubject`](crate::contract::LimitsSubject) that the named
/// `async fn` makes: one `#[tokio::test]` per case.
#[macro_export]
macro_rules! limits_contract {
    ($make:path) => {
        $crate::__cases!($make, limits:
            a_full_bucket_gives_its_burst,
            a_bucket_fills_with_time,
            the_first_refusal_is_told_apart,
            what_is_given_back_can_be_taken_again,
            buckets_do_not_meet,
            a_new_rate_holds_at_once,
            several_are_taken_from_at_once,
            nothing_is_taken_if_one_is_empty,
            taking_from_none_is_allowed,
            parallel_takes_never_exceed_the_burst,
            parallel_takes_are_whole,
            parallel_gifts_are_not_lost,
            random_histories_of_a_bucket_match_the_step,
        );
    };
}

/// Runs the cases of [`crypto::hasher`](crate::contract::crypto::hasher) against the `Arc<dyn PasswordHasher>` that
/// the named `async fn` makes.
#[macro_export]
macro_rules! hasher_contract {
    ($make:path) => {
        $crate::__cases!($make, crypto::hasher:
            a_hash_is_a_phc_string,
            the_right_password_matches,
            a_wrong_password_does_not_match,
            nobodys_password_never_matches,
            an_idle_hasher_hashes_at_once,
            salts_are_fresh,
        );
    };
}

/// Runs the cases of [`crypto::strength`](crate::contract::crypto::strength) against the `Arc<dyn PasswordStrength>` that the
/// named `async fn` makes.
#[macro_export]
macro_rules! strength_contract {
    ($make:path) => {
        $crate::__cases!($make, crypto::strength:
            a_common_password_is_refused,
            the_owners_details_are_refused,
            a_long_password_of_any_kind_is_fine,
            the_whole_password_counts,
            hostile_passwords_are_judged_in_time,
        );
    };
}

/// Runs the cases of [`crypto::codec`](crate::contract::crypto::codec) against the `Arc<dyn TokenCodec>` that the
/// named `async fn` makes.
#[macro_export]
macro_rules! codec_contract {
    ($make:path) => {
        $crate::__cases!($make, crypto::codec:
            an_id_token_names_its_user_and_session,
            an_id_token_expires,
            a_refresh_token_says_all_of_its_claims,
            a_refresh_token_is_signed_the_same_each_time,
            a_refresh_token_is_verified_past_its_life,
            a_reauthentication_says_its_claims_until_it_expires,
            what_stands_for_an_id_token_says_its_claims_until_it_expires,
            no_token_passes_as_one_of_another_kind,
            the_head_of_one_kind_makes_nothing_of_another,
            a_changed_token_is_refused,
            a_changed_token_is_invalid_even_when_expired,
            what_is_no_token_is_refused,
            an_unsigned_token_is_refused,
        );
    };
}

/// Runs the cases of [`crypto::devices`](crate::contract::crypto::devices) against the `Arc<dyn DeviceCredentials>`
/// that the named `async fn` makes.
#[macro_export]
macro_rules! device_credentials_contract {
    ($make:path) => {
        $crate::__cases!($make, crypto::devices:
            a_credential_names_its_device,
            a_credential_is_the_same_each_time,
            a_changed_credential_names_no_device,
            what_is_no_credential_names_no_device,
        );
    };
}

/// Runs the cases of [`crypto::factor_secrets`](crate::contract::crypto::factor_secrets) against the `Arc<dyn FactorSecrets>` that the
/// named `async fn` makes.
#[macro_export]
macro_rules! factor_secrets_contract {
    ($make:path) => {
        $crate::__cases!($make, crypto::factor_secrets:
            a_factors_secret_opens_for_its_account_and_use_only,
            secrets_of_factors_are_fresh,
            a_fresh_secret_of_a_factor_need_not_be_resealed,
            a_mac_depends_on_account_set_and_code,
        );
    };
}

/// Runs the cases of [`crypto::proofs`](crate::contract::crypto::proofs) against the `Arc<dyn ProofSecrets>` that the named
/// `async fn` makes.
#[macro_export]
macro_rules! proof_secrets_contract {
    ($make:path) => {
        $crate::__cases!($make, crypto::proofs:
            a_code_has_six_digits,
            a_secret_fits_into_a_link,
            secrets_depend_on_proof_and_serial,
            only_its_own_secrets_count,
        );
    };
}

/// Runs [`histories`](crate::contract::histories) against the
/// [`HistorySubject`](crate::contract::HistorySubject) that the named `async fn` makes, as one `#[test]` that is
/// called `random_histories_match_the_state_machine`, and the cases of [`tokens`](crate::contract::tokens) for which a store must
/// lose writes.
#[macro_export]
macro_rules! histories_contract {
    ($make:path) => {
        #[test]
        fn random_histories_match_the_state_machine() {
            $crate::contract::histories::run_histories(
                $crate::contract::histories::cases_from_env(),
                $make,
            );
        }

        $crate::__cases!($make, tokens:
            after_a_rollback_no_generation_has_two_tokens,
        );
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __cases {
    ($make:path, $($suite:ident)::+: $($cases:tt)+) => {
        $crate::__cases!(@each $make, ($($suite)::+), $($cases)+);
    };
    (@each $make:path, $suite:tt, $($case:ident),+ $(,)?) => {
        $($crate::__cases!(@one $make, $suite, $case);)+
    };
    (@one $make:path, ($($suite:ident)::+), $case:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            let subject = $make().await;
            $crate::contract::$($suite::)+$case(&subject).await;
        }
    };
}
