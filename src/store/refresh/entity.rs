//! The two tables of refresh tokens.

pub(super) mod families {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "refresh_families")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub login: String,
        pub user_id: Uuid,
        /// Derives successors. Without a token it opens nothing.
        pub secret: String,
        pub device: String,
        pub address: String,
        /// Like every time here: milliseconds since the Unix epoch.
        pub issued_at: i64,
        pub seen_at: i64,
        pub expires_at: i64,
        #[sea_orm(column_name = "ended_at")]
        pub revoked_at: Option<i64>,
        /// When a token was reused: somebody had a copy.
        pub reused_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod tokens {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "refresh_tokens")]
    pub struct Model {
        /// SHA-256 of the token, in base64url.
        #[sea_orm(primary_key, auto_increment = false)]
        pub hash: String,
        pub login: String,
        pub used_at: Option<i64>,
        /// A keyed hash of the client that used it.
        pub used_by: Option<String>,
        /// The number of its successor: each repeat after a lost answer makes the next one.
        pub successor: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
