//! Who has which role, as a trigger keeps it.

use super::{
    Schema,
    given::{created, user},
};

#[tokio::test]
async fn members_are_kept_whatever_the_search_path_of_whoever_changes_an_account() {
    let Some(schema) = Schema::make().await else {
        return;
    };
    created(&schema.accounts().await).await;
    let (look, name) = (schema.look().await, &schema.name);
    // As an operator's own program, which names the schema.
    look.batch_execute(&format!(
        "SET search_path = pg_catalog; UPDATE {name}.users SET roles = '[\"editor\"]'"
    ))
    .await
    .expect("the account is there");
    let listed = format!("SELECT user_id, role FROM {name}.role_members");
    let members = look.query(&listed, &[]).await.expect("it is read");
    let members: Vec<(uuid::Uuid, String)> = members
        .iter()
        .map(|row| (row.get("user_id"), row.get("role")))
        .collect();
    assert_eq!(members, [(*user().id.as_uuid(), "editor".to_owned())]);
}
