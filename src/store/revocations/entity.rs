//! The tables of what was revoked.

pub(super) mod revoked_logins {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "revoked_logins")]
    pub struct Model {
        /// The strategy.
        #[sea_orm(primary_key, auto_increment = false)]
        pub scope: String,
        /// A name that somebody else's login has is another row: nobody can spoil a revocation.
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: Uuid,
        /// The token's `jti`, or the public name of the session.
        #[sea_orm(primary_key, auto_increment = false)]
        pub login: String,
        /// When the login would have expired and the row may go. Milliseconds since the Unix epoch.
        pub expires_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod generations {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "cut_offs")]
    pub struct Model {
        /// The strategy.
        #[sea_orm(primary_key, auto_increment = false)]
        pub scope: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: Uuid,
        /// Tokens of an earlier generation are dead.
        pub generation: i64,
        /// When it was raised. Tokens before it live no longer than a token lives.
        pub raised_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
